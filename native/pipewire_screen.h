// A screen or window that PipeWire shows, for JavaScript: opened and measured, then handed to a pipeline's
// element `cappipewiresrc`.
#pragma once

#include <napi.h>

#include <memory>

namespace cap {

class PipewireGrabber;

void RegisterPipewireSource();

class PipewireScreen : public Napi::ObjectWrap<PipewireScreen> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit PipewireScreen(const Napi::CallbackInfo& info);

 private:
  struct Opening;

  Napi::Value Open(const Napi::CallbackInfo& info);
  void Attach(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<Opening> opening_;  // shared with the thread that opens it
};

// pipewireVersion(): Promise<string>; rejects when the user's PipeWire does not answer.
Napi::Value PipewireVersion(const Napi::CallbackInfo& info);

}  // namespace cap
