#include "event_channel.h"

namespace cap {

namespace {

Napi::Object ToObject(Napi::Env env, const Event& event) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("type", event.type);
  for (const auto& [name, value] : event.fields) {
    if (auto* number = std::get_if<double>(&value)) {
      object.Set(name, *number);
    } else if (auto* flag = std::get_if<bool>(&value)) {
      object.Set(name, *flag);
    } else {
      object.Set(name, std::get<std::string>(value));
    }
  }
  return object;
}

}  // namespace

EventChannel::EventChannel(Napi::Env env, Napi::Function listener, const char* name, size_t limit)
    : function_(Napi::ThreadSafeFunction::New(env, listener, name, limit, 1)) {}

EventChannel::~EventChannel() { Close(); }

void EventChannel::Post(Event event) {
  if (!open_) return;
  auto* copy = new Event(std::move(event));
  napi_status status = function_.NonBlockingCall(copy, [](Napi::Env env, Napi::Function listener, Event* sent) {
    // While the environment is torn down there is nobody to tell, but the event is still ours to free.
    if (env != nullptr && listener != nullptr) listener.Call({ToObject(env, *sent)});
    delete sent;
  });
  if (status != napi_ok) {
    delete copy;
    ++dropped_;
  }
}

void EventChannel::Close() {
  if (!open_.exchange(false)) return;
  // Release, not Abort: the queue is drained first, so no queued event leaks.
  function_.Release();
}

}  // namespace cap
