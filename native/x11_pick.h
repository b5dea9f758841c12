// Lets the user click the window that is meant: holds the pointer, with a crosshair, until then.
#pragma once

#include <napi.h>
#include <xcb/xcb.h>

#include <memory>
#include <thread>

#include "event_channel.h"

namespace cap {

class X11Pick : public Napi::ObjectWrap<X11Pick> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit X11Pick(const Napi::CallbackInfo& info);
  ~X11Pick() override;

 private:
  void CloseFromJs(const Napi::CallbackInfo& info);
  void Close();
  void Run();
  bool HoldPointer();
  bool Sleep(int timeout_ms);
  bool Drain();
  bool Released(xcb_window_t child);

  xcb_connection_t* connection_ = nullptr;  // of the thread, once it runs
  xcb_window_t root_ = 0;
  xcb_window_t pressed_ = 0;  // the top-level window that the button went down on
  uint8_t button_ = 0;        // which one is down; 0: none that counts
  int wake_ = -1;
  std::unique_ptr<EventChannel> events_;
  std::thread thread_;
};

}  // namespace cap
