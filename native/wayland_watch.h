// Watches a Wayland compositor's monitors: some came, went or changed, or the compositor is gone.
#pragma once

#include <napi.h>

#include <memory>
#include <thread>

#include "event_channel.h"
#include "wayland_connection.h"

namespace cap {

class WaylandWatch : public Napi::ObjectWrap<WaylandWatch> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit WaylandWatch(const Napi::CallbackInfo& info);
  ~WaylandWatch() override;

 private:
  void CloseFromJs(const Napi::CallbackInfo& info);
  void Close();
  void Watch();

  std::unique_ptr<WaylandConnection> connection_;  // of the thread, once it runs
  int wake_ = -1;
  std::unique_ptr<EventChannel> events_;
  std::thread thread_;
};

}  // namespace cap
