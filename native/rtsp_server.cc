#include "rtsp_server.h"

#include "async_task.h"

namespace cap {

Napi::Function RtspServer::Define(Napi::Env env) {
  return DefineClass(env, "RtspServer",
                     {InstanceMethod<&RtspServer::Mount>("mount"), InstanceMethod<&RtspServer::Unmount>("unmount"),
                      InstanceMethod<&RtspServer::Kick>("kick"), InstanceMethod<&RtspServer::Ports>("ports"),
                      InstanceMethod<&RtspServer::Stats>("stats"), InstanceMethod<&RtspServer::Close>("close")});
}

namespace {

std::string Text(const Napi::Object& from, const char* name) { return from.Get(name).As<Napi::String>().Utf8Value(); }

std::vector<RtspUser> Users(const Napi::Array& from) {
  std::vector<RtspUser> users;
  for (uint32_t i = 0; i < from.Length(); ++i) {
    Napi::Object one = Napi::Value(from[i]).As<Napi::Object>();
    RtspUser user{Text(one, "name"), Text(one, "ha1"), {}};
    Napi::Array paths = one.Get("paths").As<Napi::Array>();
    for (uint32_t k = 0; k < paths.Length(); ++k) user.paths.push_back(Napi::Value(paths[k]).As<Napi::String>());
    users.push_back(std::move(user));
  }
  return users;
}

}  // namespace

// new RtspServer({host, port, tlsPort, tlsPem, realm, users, maxReaders, maxStallMs, sessionTimeoutS}, onEvent):
// listens before it returns
RtspServer::RtspServer(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Napi::Object from = info[0].As<Napi::Object>();
  RtspOptions options;
  options.host = Text(from, "host");
  options.port = from.Get("port").As<Napi::Number>().Int32Value();
  options.tls_port = from.Get("tlsPort").As<Napi::Number>().Int32Value();
  options.tls_pem = Text(from, "tlsPem");
  options.realm = Text(from, "realm");
  options.users = Users(from.Get("users").As<Napi::Array>());
  options.max_readers = from.Get("maxReaders").As<Napi::Number>().Uint32Value();
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

// mount(path, hub, maxWaitingUnits, maxReaders, audio: {hub, payloader, title}[]): Promise<void>
Napi::Value RtspServer::Mount(const Napi::CallbackInfo& info) {
  if (closed_) Throw(info.Env(), "closed", "the RTSP server is closed");
  std::vector<RtspAudio> audio;
  const auto list = info[4].As<Napi::Array>();
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const auto channel = list.Get(i).As<Napi::Object>();
    audio.push_back({AccessUnitHub::From(channel.Get("hub"))->core(),
                     channel.Get("payloader").As<Napi::String>().Utf8Value(),
                     channel.Get("title").As<Napi::String>().Utf8Value()});
  }
  return AsyncTask::Run(
      info.Env(), Value(),
      [core = core_, path = info[0].As<Napi::String>().Utf8Value(), hub = AccessUnitHub::From(info[1])->core(),
       audio = std::move(audio),
       limits = RtspMount::Limits{info[2].As<Napi::Number>().Uint32Value(), info[3].As<Napi::Number>().Uint32Value()}] {
        return core->Mount(path, hub, audio, limits);
      });
}

Napi::Value RtspServer::Unmount(const Napi::CallbackInfo& info) {
  return AsyncTask::Run(info.Env(), Value(),
                        [core = core_, path = info[0].As<Napi::String>().Utf8Value()]() -> std::optional<Failure> {
                          core->Unmount(path);
                          return std::nullopt;
                        });
}

// kick(id): whether there was such a reader
Napi::Value RtspServer::Kick(const Napi::CallbackInfo& info) {
  const double id = info[0].As<Napi::Number>().DoubleValue();
  return Napi::Boolean::New(info.Env(), !closed_ && core_->Kick(static_cast<uint64_t>(id)));
}

// ports(): {plain, tls}, -1 where it does not listen
Napi::Value RtspServer::Ports(const Napi::CallbackInfo& info) {
  Napi::Object ports = Napi::Object::New(info.Env());
  ports.Set("plain", core_->port());
  ports.Set("tls", core_->tls_port());
  return ports;
}

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
