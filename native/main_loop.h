// The one GLib main loop thread of the process: it serves the RTSP server and all buses.
#pragma once

#include <glib.h>

#include <functional>

namespace cap {

class MainLoop {
 public:
  // Starts the thread on first use. It lives as long as the process: GLib sources may still
  // be dispatched while other threads shut down, so it is never torn down under them.
  static MainLoop& Get();

  GMainContext* context() const { return context_; }

  // Runs `task` on the loop's thread and returns at once.
  void Post(std::function<void()> task);

  // Runs `task` on the loop's thread and waits for it; at once when called on that thread.
  void Run(const std::function<void()>& task);

  // Runs `task` on the loop's thread in `delay_ms`.
  void After(unsigned delay_ms, std::function<void()> task);

  // Calls `task` on the loop's thread every `interval_ms` until the source is destroyed.
  GSource* Every(unsigned interval_ms, std::function<void()> task);

 private:
  MainLoop();
  GMainContext* context_;
  GThread* thread_;
};

}  // namespace cap
