// A session of the desktop portal's ScreenCast, for JavaScript.
#pragma once

#include <napi.h>

#include <memory>

#include "event_channel.h"

namespace cap {

class PortalHandshake;

class PortalSession : public Napi::ObjectWrap<PortalSession> {
 public:
  static Napi::Function Define(Napi::Env env);
  static PortalSession* From(Napi::Value value);

  explicit PortalSession(const Napi::CallbackInfo& info);
  ~PortalSession() override;

  // The socket to PipeWire, which the caller takes over; throws when there is none, or it was taken.
  int TakeRemote(Napi::Env env);

 private:
  void Start(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  std::shared_ptr<EventChannel> events_;
  std::shared_ptr<PortalHandshake> handshake_;
};

}  // namespace cap
