#include "still_door.h"

#include <atomic>
#include <limits>
#include <mutex>
#include <optional>
#include <vector>

#include "event_channel.h"
#include "failure.h"
#include "gop_ring.h"
#include "rgb_picture.h"
#include "sei.h"
#include "unit_decoder.h"

namespace cap {

struct StillDoor::Core {
  Core(Napi::Env env, Napi::Function listener) : units(env, listener, "cap unit", 1) {}

  EventChannel units;
  std::atomic<bool> notify{false};
  std::shared_ptr<HubCore> hub;
  std::shared_ptr<GopRing> ring;
  std::mutex mutex;  // of the decoder, which is held while it works
  std::unique_ptr<UnitDecoder> decoder;
  std::atomic<uint64_t> decoded{0}, position{0};
};

namespace {

std::optional<std::vector<uint8_t>> SeiPayloadOf(const KeptUnit& unit) {
  GstMapInfo map;
  if (!gst_buffer_map(unit.buffer.get(), &map, GST_MAP_READ)) return std::nullopt;
  auto payload = FindSeiPayload(map.data, map.size);
  gst_buffer_unmap(unit.buffer.get(), &map);
  return payload;
}

}  // namespace

class StillDoor::DecodeWorker : public Napi::AsyncWorker {
 public:
  DecodeWorker(Napi::Env env, std::shared_ptr<Core> core, uint64_t number)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), core_(std::move(core)), number_(number) {}

  Napi::Promise promise() { return deferred_.Promise(); }

  void Execute() override {
    std::lock_guard<std::mutex> lock(core_->mutex);
    const std::shared_ptr<GstSample> sample = Decode();
    if (sample) picture_ = ToRgb(sample.get());
  }

  void OnOK() override {
    if (is_missing_) {
      deferred_.Reject(Failure{"missing-element", "avdec_h264", "is not installed", ""}.ToError(Env()).Value());
    } else {
      deferred_.Resolve(picture_ ? Napi::Value(ToObject(Env(), *picture_)) : Env().Null());
    }
  }

 private:
  std::shared_ptr<GstSample> Decode() {
    if (!core_->decoder) core_->decoder = std::make_unique<UnitDecoder>();
    UnitDecoder& decoder = *core_->decoder;
    is_missing_ = !decoder.is_open();
    if (is_missing_) return nullptr;
    if (decoder.position() == number_) return decoder.picture();
    const std::vector<KeptUnit> units = core_->ring->UpTo(number_, decoder.position());
    if (units.empty()) return nullptr;
    auto picture = decoder.Decode(units);
    core_->decoded += units.size();
    core_->position = decoder.position();
    return picture;
  }

  Napi::Promise::Deferred deferred_;
  const std::shared_ptr<Core> core_;
  const uint64_t number_;
  bool is_missing_ = false;
  std::optional<RgbPicture> picture_;
};

Napi::Function StillDoor::Define(Napi::Env env) {
  return DefineClass(env, "StillDoor",
                     {InstanceMethod<&StillDoor::Find>("find"), InstanceMethod<&StillDoor::Decode>("decode"),
                      InstanceMethod<&StillDoor::Notify>("notify"), InstanceMethod<&StillDoor::Rest>("rest"),
                      InstanceMethod<&StillDoor::Stats>("stats"), InstanceMethod<&StillDoor::CloseFromJs>("close")});
}

// new StillDoor(hub, spanMs, mostBytes, onUnit)
StillDoor::StillDoor(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  core_ = std::make_shared<Core>(info.Env(), info[3].As<Napi::Function>());
  core_->hub = AccessUnitHub::From(info[0])->core();
  const auto span_ns = static_cast<uint64_t>(info[1].As<Napi::Number>().DoubleValue() * 1e6);
  const auto most_bytes = static_cast<size_t>(info[2].As<Napi::Number>().DoubleValue());
  core_->ring = std::make_shared<GopRing>(core_->hub, span_ns, most_bytes, [weak = std::weak_ptr<Core>(core_)] {
    const auto core = weak.lock();
    if (core && core->notify.exchange(false)) core->units.Post({"unit", {}});
  });
  // Whoever asks for a picture watches while it is taken: what is kept for nobody is no reason to capture.
  core_->hub->Add(core_->ring, false);
}

StillDoor::~StillDoor() { Close(); }

// find(capturedByNs?): the newest unit captured by then, and how many must be decoded for it; null when there is none.
Napi::Value StillDoor::Find(const Napi::CallbackInfo& info) {
  bool lossless;
  const uint64_t by =
      info[0].IsBigInt() ? info[0].As<Napi::BigInt>().Uint64Value(&lossless) : std::numeric_limits<uint64_t>::max();
  const auto unit = core_->ring->Find(by);
  if (!unit) return info.Env().Null();
  const uint64_t position = core_->position;
  Napi::Object found = Napi::Object::New(info.Env());
  found.Set("number", static_cast<double>(unit->number));
  found.Set("capturedMonotonicNs", Napi::BigInt::New(info.Env(), unit->captured_ns));
  const size_t cost = unit->number == position ? 0 : core_->ring->UpTo(unit->number, position).size();
  found.Set("unitsToDecode", static_cast<double>(cost));
  if (const auto payload = SeiPayloadOf(*unit)) {
    found.Set("seiPayload", Napi::Buffer<uint8_t>::Copy(info.Env(), payload->data(), payload->size()));
  }
  return found;
}

// decode(number): the picture; null when the unit is not kept any more or cannot be decoded.
Napi::Value StillDoor::Decode(const Napi::CallbackInfo& info) {
  const auto number = static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value());
  auto* worker = new DecodeWorker(info.Env(), core_, number);
  Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

// notify(): has the next unit that comes posted as an event.
void StillDoor::Notify(const Napi::CallbackInfo&) { core_->notify = true; }

// rest(): lets go of the decoder until the next picture is asked for.
void StillDoor::Rest(const Napi::CallbackInfo&) {
  std::unique_lock<std::mutex> lock(core_->mutex, std::try_to_lock);
  if (!lock) return;  // it is at work
  core_->decoder.reset();
  core_->position = 0;
}

Napi::Value StillDoor::Stats(const Napi::CallbackInfo& info) {
  const GopRing::Level level = core_->ring->level();
  Napi::Object stats = Napi::Object::New(info.Env());
  stats.Set("units", static_cast<double>(level.units));
  stats.Set("bytes", static_cast<double>(level.bytes));
  stats.Set("decoded", static_cast<double>(core_->decoded));
  if (level.oldest_ns > 0) stats.Set("oldestMonotonicNs", Napi::BigInt::New(info.Env(), level.oldest_ns));
  return stats;
}

void StillDoor::CloseFromJs(const Napi::CallbackInfo&) { Close(); }

void StillDoor::Close() {
  if (!core_ || !core_->hub) return;
  core_->hub->Remove(core_->ring);
  core_->hub.reset();
  core_->units.Close();
  std::unique_lock<std::mutex> lock(core_->mutex, std::try_to_lock);
  if (lock) core_->decoder.reset();  // one that is at work goes with the worker
}

}  // namespace cap
