// The RTSP server, for JavaScript.
#pragma once

#include <napi.h>

#include <memory>

#include "rtsp_core.h"

namespace cap {

class RtspServer : public Napi::ObjectWrap<RtspServer> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit RtspServer(const Napi::CallbackInfo& info);
  ~RtspServer() override;

 private:
  Napi::Value Mount(const Napi::CallbackInfo& info);
  Napi::Value Unmount(const Napi::CallbackInfo& info);
  Napi::Value Kick(const Napi::CallbackInfo& info);
  Napi::Value Ports(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  std::shared_ptr<RtspCore> core_;
  bool closed_ = false;
};

}  // namespace cap
