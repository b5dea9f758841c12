#include "unit_tap.h"

namespace cap {

namespace {

// A unit on its way to JavaScript, which counts it as waiting until it is called.
struct Posted {
  std::shared_ptr<UnitTapCore> tap;
  AccessUnit unit;
  std::atomic<unsigned>& waiting;

  Posted(std::shared_ptr<UnitTapCore> owner, const AccessUnit& posted, std::atomic<unsigned>& count)
      : tap(std::move(owner)), unit(posted), waiting(count) {
    gst_buffer_ref(unit.buffer);
    ++waiting;
  }
  ~Posted() {
    gst_buffer_unref(unit.buffer);
    --waiting;
  }
};

// listener(bytes, capturedUs, key). The bytes are copied once here, and shared by all who send them.
void Call(Napi::Env env, Napi::Function listener, Posted* posted) {
  // While the environment is torn down there is nobody to tell.
  if (env != nullptr && listener != nullptr) {
    GstBuffer* buffer = posted->unit.buffer;
    auto bytes = Napi::Buffer<uint8_t>::New(env, gst_buffer_get_size(buffer));
    gst_buffer_extract(buffer, 0, bytes.Data(), bytes.Length());
    listener.Call({bytes, Napi::Number::New(env, static_cast<double>(posted->unit.captured_ns) / 1000),
                   Napi::Boolean::New(env, posted->unit.key)});
  }
  delete posted;
}

}  // namespace

UnitTapCore::UnitTapCore(std::shared_ptr<HubCore> hub, Napi::Env env, Napi::Function listener, unsigned max_waiting)
    : hub_(std::move(hub)),
      max_waiting_(max_waiting),
      listener_(Napi::ThreadSafeFunction::New(env, listener, "cap-unit-tap", 0, 1)) {}

void UnitTapCore::Close() {
  hub_->Remove(shared_from_this());
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  closed_ = true;
  // Release, not Abort: the queue is drained first, so no unit leaks.
  listener_.Release();
}

bool UnitTapCore::WantsGop() {
  std::lock_guard<std::mutex> lock(mutex_);
  return at_start_ && !closed_;
}

// The whole of it, however long: it is bounded by the hub, and half of it is of no use.
void UnitTapCore::ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps*) {
  std::lock_guard<std::mutex> lock(mutex_);
  waits_for_key_ = false;
  for (const AccessUnit& unit : gop) Post(unit);
}

void UnitTapCore::Consume(const AccessUnit& unit, GstCaps*) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (waiting_ >= max_waiting_) waits_for_key_ = true;
  if (waits_for_key_ && (!unit.key || waiting_ > max_waiting_ / 2)) {
    hub_->RequestKeyFrame();
    if (!at_start_) ++dropped_;
    return;
  }
  waits_for_key_ = false;
  Post(unit);
}

void UnitTapCore::Post(const AccessUnit& unit) {
  if (closed_) return;
  at_start_ = false;
  auto* posted = new Posted(shared_from_this(), unit, waiting_);
  if (listener_.NonBlockingCall(posted, Call) == napi_ok) {
    ++delivered_;
  } else {
    delete posted;
  }
}

// --- the JavaScript class ---

Napi::Function UnitTap::Define(Napi::Env env) {
  return DefineClass(env, "UnitTap",
                     {InstanceMethod<&UnitTap::Stats>("stats"), InstanceMethod<&UnitTap::Close>("close")});
}

// new UnitTap(hub, maxWaiting, listener)
UnitTap::UnitTap(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const auto& hub = AccessUnitHub::From(info[0])->core();
  core_ = std::make_shared<UnitTapCore>(hub, info.Env(), info[2].As<Napi::Function>(),
                                        info[1].As<Napi::Number>().Uint32Value());
  hub->Add(core_);
}

UnitTap::~UnitTap() {
  if (core_) core_->Close();
}

Napi::Value UnitTap::Stats(const Napi::CallbackInfo& info) {
  Napi::Object stats = Napi::Object::New(info.Env());
  stats.Set("delivered", static_cast<double>(core_->delivered()));
  stats.Set("dropped", static_cast<double>(core_->dropped()));
  return stats;
}

void UnitTap::Close(const Napi::CallbackInfo&) { core_->Close(); }

}  // namespace cap
