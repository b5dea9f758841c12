#include "portal_session.h"

#include <chrono>
#include <future>

#include "async_task.h"
#include "failure.h"
#include "main_loop.h"
#include "portal_handshake.h"

namespace cap {

namespace {

// A bus that takes nothing any more is not waited for.
constexpr std::chrono::seconds kLongestClose(1);

PortalHandshake::Listener ListenerOf(const std::shared_ptr<EventChannel>& events) {
  using Core = PortalHandshake;
  Core::Listener listener;
  listener.ready = [events](const Core::Abilities& abilities) {
    events->Post({"ready",
                  {{"version", double(abilities.version)},
                   {"sourceTypes", double(abilities.source_types)},
                   {"cursorModes", double(abilities.cursor_modes)}}});
  };
  listener.started = [events](const Core::Stream& stream) {
    events->Post({"started",
                  {{"node", double(stream.node)},
                   {"sourceType", double(stream.source_type)},
                   {"width", double(stream.width)},
                   {"height", double(stream.height)},
                   {"restoreToken", stream.restore_token}}});
  };
  listener.failed = [events](const Core::Failure& failure) {
    events->Post({"failed", {{"failure", failure.code}, {"message", failure.message}}});
  };
  listener.ended = [events](const std::string& message) { events->Post({"ended", {{"message", message}}}); };
  return listener;
}

}  // namespace

Napi::Function PortalSession::Define(Napi::Env env) {
  return DefineClass(env, "PortalSession",
                     {InstanceMethod<&PortalSession::Start>("start"), InstanceMethod<&PortalSession::Close>("close")});
}

PortalSession* PortalSession::From(Napi::Value value) {
  return ObjectWrap<PortalSession>::Unwrap(value.As<Napi::Object>());
}

// new PortalSession(address of the bus, onEvent): posts `ready` or `failed`
PortalSession::PortalSession(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  events_ = std::make_shared<EventChannel>(info.Env(), info[1].As<Napi::Function>(), "cap portal events", 16);
  handshake_ = std::make_shared<PortalHandshake>(info[0].As<Napi::String>().Utf8Value(), ListenerOf(events_));
  MainLoop::Get().Post([handshake = handshake_] { handshake->Open(); });
}

PortalSession::~PortalSession() {
  MainLoop::Get().Post([handshake = std::move(handshake_)] { handshake->Close(nullptr); });
}

// start({sourceTypes, cursorMode, persistent, restoreToken}): posts `started` or `failed`, later `ended`
void PortalSession::Start(const Napi::CallbackInfo& info) {
  Napi::Object from = info[0].As<Napi::Object>();
  PortalHandshake::Choice choice;
  choice.source_types = from.Get("sourceTypes").As<Napi::Number>().Uint32Value();
  choice.cursor_mode = from.Get("cursorMode").As<Napi::Number>().Uint32Value();
  choice.persistent = from.Get("persistent").As<Napi::Boolean>().Value();
  choice.restore_token = from.Get("restoreToken").As<Napi::String>().Utf8Value();
  MainLoop::Get().Post([handshake = handshake_, choice] { handshake->Start(choice); });
}

int PortalSession::TakeRemote(Napi::Env env) {
  int remote = -1;
  MainLoop::Get().Run([&] { remote = handshake_->TakeRemote(); });
  if (remote < 0) Throw(env, "closed", "the portal's session is closed");
  return remote;
}

// close(): Promise<void>; resolves when the portal has been told
Napi::Value PortalSession::Close(const Napi::CallbackInfo& info) {
  events_->Close();
  return AsyncTask::Run(info.Env(), Value(), [handshake = handshake_]() -> std::optional<Failure> {
    auto told = std::make_shared<std::promise<void>>();
    MainLoop::Get().Post([handshake, told] { handshake->Close([told] { told->set_value(); }); });
    told->get_future().wait_for(kLongestClose);
    return std::nullopt;
  });
}

}  // namespace cap
