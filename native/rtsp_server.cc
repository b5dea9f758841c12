#include "rtsp_server.h"

#include "async_task.h"

namespace cap {

Napi::Function RtspServer::Define(Napi::Env env) {
  return DefineClass(env, "RtspServer",
                     {InstanceMethod<&RtspServer::Mount>("mount"), InstanceMethod<&RtspServer::Unmount>("unmount"),
                      InstanceMethod<&RtspServer::Port>("port"), InstanceMethod<&RtspServer::Stats>("stats"),
                      InstanceMethod<&RtspServer::Close>("close")});
}

// new RtspServer({host, port, maxStallMs, sessionTimeoutS}, onEvent): listens before it returns
RtspServer::RtspServer(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Napi::Object from = info[0].As<Napi::Object>();
  RtspOptions options;
  options.host = from.Get("host").As<Napi::String>().Utf8Value();
  options.port = from.Get("port").As<Napi::Number>().Int32Value();
  options.max_stall_ms = from.Get("maxStallMs").As<Napi::Number>().Uint32Value();
  options.session_timeout_s = from.Get("sessionTimeoutS").As<Napi::Number>().Uint32Value();
  core_ = std::make_shared<RtspCore>(std::move(options), info.Env(), info[1].As<Napi::Function>());
  if (auto failure = core_->Listen()) {
    core_->Close();
    Throw(info.Env(), *failure);
  }
}

RtspServer::~RtspServer() {
  if (core_) core_->Close();
}

// mount(path, hub, maxWaitingUnits): Promise<void>
Napi::Value RtspServer::Mount(const Napi::CallbackInfo& info) {
  if (closed_) Throw(info.Env(), "closed", "the RTSP server is closed");
  return AsyncTask::Run(
      info.Env(), Value(),
      [core = core_, path = info[0].As<Napi::String>().Utf8Value(), hub = AccessUnitHub::From(info[1])->core(),
       max = info[2].As<Napi::Number>().Uint32Value()] { return core->Mount(path, hub, max); });
}

Napi::Value RtspServer::Unmount(const Napi::CallbackInfo& info) {
  return AsyncTask::Run(info.Env(), Value(),
                        [core = core_, path = info[0].As<Napi::String>().Utf8Value()]() -> std::optional<Failure> {
                          core->Unmount(path);
                          return std::nullopt;
                        });
}

Napi::Value RtspServer::Port(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), core_->port()); }

Napi::Value RtspServer::Stats(const Napi::CallbackInfo& info) { return core_->Stats(info.Env()); }

Napi::Value RtspServer::Close(const Napi::CallbackInfo& info) {
  closed_ = true;
  core_->events().Close();  // on this thread: it holds the event loop
  return AsyncTask::Run(info.Env(), Value(), [core = core_]() -> std::optional<Failure> {
    core->Close();
    return std::nullopt;
  });
}

}  // namespace cap
