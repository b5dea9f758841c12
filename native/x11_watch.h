// Watches a window, or the whole screen, for what the capture itself does not report: the window was
// closed, unmapped or resized, monitors came, went or changed, or the X server is gone.
#pragma once

#include <X11/Xlib.h>
#include <napi.h>

#include <memory>
#include <string>
#include <thread>

#include "event_channel.h"

namespace cap {

class X11Watch : public Napi::ObjectWrap<X11Watch> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit X11Watch(const Napi::CallbackInfo& info);
  ~X11Watch() override;

 private:
  void CloseFromJs(const Napi::CallbackInfo& info);
  void Close();
  void Watch();
  bool Drain();

  Display* display_ = nullptr;
  Window window_ = 0;
  int width_ = 0, height_ = 0;
  int randr_event_ = 0;  // the first of RandR's, where the root window is watched; else 0
  int wake_[2] = {-1, -1};
  std::unique_ptr<EventChannel> events_;
  std::thread thread_;
};

}  // namespace cap
