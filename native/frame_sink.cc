#include "frame_sink.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <optional>

#include "event_channel.h"
#include "frame_meta.h"
#include "frame_stamper.h"
#include "pipeline.h"
#include "rgb_picture.h"
#include "sei.h"

namespace cap {

// Of decoded frames, how many whose metadata nobody has taken are remembered; the oldest go first.
constexpr size_t kMaxPassed = 512;

struct FrameSink::Core {
  Core(Napi::Env env, Napi::Function listener) : ready(env, listener, "cap frame ready", 1) {}
  ~Core() {
    if (newest) gst_sample_unref(newest);
    if (appsink) gst_object_unref(appsink);
    if (coded) gst_object_unref(coded);
    for (auto& [sequence, payload] : passed) g_bytes_unref(payload);
  }

  GstElement* appsink = nullptr;
  GstPad* coded = nullptr;  // where access units pass before the decoder
  gulong probe = 0;
  EventChannel ready;
  std::mutex mutex;
  bool closed = false;
  GstSample* newest = nullptr;
  uint64_t newest_sequence = 0, newest_ns = 0, newest_wall_us = 0;
  std::deque<std::pair<uint64_t, GBytes*>> passed;  // what our SEI said of each frame, pulled or not
  std::atomic<uint64_t> decoded{0}, pulled{0};
};

namespace {

// What is known of a frame beside its pixels.
struct Stamps {
  uint64_t sequence = 0, received_ns = 0, received_wall_us = 0;
};

}  // namespace

class PullWorker : public Napi::AsyncWorker {
 public:
  PullWorker(Napi::Env env, GstSample* sample, Stamps stamps)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), sample_(sample), stamps_(stamps) {}
  ~PullWorker() override { gst_sample_unref(sample_); }

  Napi::Promise promise() { return deferred_.Promise(); }

  void Execute() override { picture_ = ToRgb(sample_); }

  void OnOK() override {
    if (!picture_) {
      deferred_.Reject(
          Failure{"pipeline", "", "the decoded picture cannot be converted to RGB", ""}.ToError(Env()).Value());
      return;
    }
    Napi::Object object = ToObject(Env(), *picture_);
    object.Set("sequence", static_cast<double>(stamps_.sequence));
    object.Set("receivedMonotonicNs", Napi::BigInt::New(Env(), stamps_.received_ns));
    object.Set("receivedWallUs", Napi::BigInt::New(Env(), stamps_.received_wall_us));
    const FrameMeta* meta = GetFrameMeta(gst_sample_get_buffer(sample_));
    if (meta && meta->sei_payload) {
      gsize size;
      auto* bytes = static_cast<const uint8_t*>(g_bytes_get_data(meta->sei_payload, &size));
      object.Set("seiPayload", Napi::Buffer<uint8_t>::Copy(Env(), bytes, size));
    }
    deferred_.Resolve(object);
  }

 private:
  Napi::Promise::Deferred deferred_;
  GstSample* sample_;
  const Stamps stamps_;
  std::optional<RgbPicture> picture_;
};

Napi::Function FrameSink::Define(Napi::Env env) {
  return DefineClass(env, "FrameSink",
                     {InstanceMethod<&FrameSink::Pull>("pull"), InstanceMethod<&FrameSink::TakePassed>("takePassed"),
                      InstanceMethod<&FrameSink::Stats>("stats"), InstanceMethod<&FrameSink::CloseFromJs>("close")});
}

// new FrameSink(pipeline, appsinkName, codedElementName, onReady)
FrameSink::FrameSink(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Pipeline* pipeline = Pipeline::From(info[0]);
  GstElement* coded = pipeline->Element(info.Env(), info[2].As<Napi::String>().Utf8Value());
  core_ = std::make_shared<Core>(info.Env(), info[3].As<Napi::Function>());
  core_->coded = gst_element_get_static_pad(coded, "src");
  gst_object_unref(coded);
  core_->appsink = pipeline->Element(info.Env(), info[1].As<Napi::String>().Utf8Value());
  core_->probe = gst_pad_add_probe(core_->coded, GST_PAD_PROBE_TYPE_BUFFER, OnCoded, nullptr, nullptr);
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = OnSample;
  gst_app_sink_set_callbacks(GST_APP_SINK(core_->appsink), &callbacks, new std::shared_ptr<Core>(core_),
                             [](gpointer data) { delete static_cast<std::shared_ptr<Core>*>(data); });
}

FrameSink::~FrameSink() { Close(); }

namespace {

bool IsH264(GstPad* pad) {
  GstCaps* caps = gst_pad_get_current_caps(pad);
  const bool is_h264 = caps && gst_structure_has_name(gst_caps_get_structure(caps, 0), "video/x-h264");
  gst_clear_caps(&caps);
  return is_h264;
}

}  // namespace

// Copies our SEI onto the buffer; the decoder hands it on to the picture it makes. A picture without its
// beginning is dropped: the decoder would invent the missing part, and call the result sound if it is
// a key frame.
GstPadProbeReturn FrameSink::OnCoded(GstPad* pad, GstPadProbeInfo* info, gpointer) {
  if (!IsH264(pad)) return GST_PAD_PROBE_OK;
  GstBuffer* buffer = GST_PAD_PROBE_INFO_BUFFER(info);
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return GST_PAD_PROBE_OK;
  auto payload = FindSeiPayload(map.data, map.size);
  const bool torn = LacksBeginning(map.data, map.size);
  gst_buffer_unmap(buffer, &map);
  if (torn) return GST_PAD_PROBE_DROP;
  if (!payload) return GST_PAD_PROBE_OK;
  buffer = gst_buffer_make_writable(buffer);
  GST_PAD_PROBE_INFO_DATA(info) = buffer;
  EnsureFrameMeta(buffer)->sei_payload = g_bytes_new(payload->data(), payload->size());
  return GST_PAD_PROBE_OK;
}

GstFlowReturn FrameSink::OnSample(GstAppSink* sink, gpointer data) {
  Core& core = **static_cast<std::shared_ptr<Core>*>(data);
  GstSample* sample = gst_app_sink_pull_sample(sink);
  if (!sample) return GST_FLOW_EOS;
  GstSample* old;
  {
    std::lock_guard<std::mutex> lock(core.mutex);
    if (core.closed) {
      gst_sample_unref(sample);
      return GST_FLOW_EOS;
    }
    old = core.newest;
    core.newest = sample;
    core.newest_sequence = core.decoded++;
    core.newest_ns = MonotonicNs();
    core.newest_wall_us = WallUs();
    const FrameMeta* meta = GetFrameMeta(gst_sample_get_buffer(sample));
    if (meta && meta->sei_payload) {
      core.passed.emplace_back(core.newest_sequence, g_bytes_ref(meta->sei_payload));
      if (core.passed.size() > kMaxPassed) {
        g_bytes_unref(core.passed.front().second);
        core.passed.pop_front();
      }
    }
  }
  if (old) gst_sample_unref(old);
  core.ready.Post({"frame", {}});
  return GST_FLOW_OK;
}

// pull(): the newest frame, or null when there has been none yet.
Napi::Value FrameSink::Pull(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Stamps stamps;
  GstSample* sample = nullptr;
  {
    std::lock_guard<std::mutex> lock(core_->mutex);
    if (core_->newest) {
      sample = gst_sample_ref(core_->newest);
      stamps.sequence = core_->newest_sequence;
      stamps.received_ns = core_->newest_ns;
      stamps.received_wall_us = core_->newest_wall_us;
    }
  }
  if (!sample) {
    auto deferred = Napi::Promise::Deferred::New(env);
    deferred.Resolve(env.Null());
    return deferred.Promise();
  }
  ++core_->pulled;
  auto* worker = new PullWorker(env, sample, stamps);
  Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
}

// takePassed(): sequence and SEI payload of each frame decoded since the last call, oldest first.
Napi::Value FrameSink::TakePassed(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::deque<std::pair<uint64_t, GBytes*>> passed;
  {
    std::lock_guard<std::mutex> lock(core_->mutex);
    passed.swap(core_->passed);
  }
  Napi::Array taken = Napi::Array::New(env, passed.size());
  uint32_t at = 0;
  for (auto& [sequence, payload] : passed) {
    gsize size;
    auto* bytes = static_cast<const uint8_t*>(g_bytes_get_data(payload, &size));
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("sequence", static_cast<double>(sequence));
    entry.Set("seiPayload", Napi::Buffer<uint8_t>::Copy(env, bytes, size));
    taken.Set(at++, entry);
    g_bytes_unref(payload);
  }
  return taken;
}

Napi::Value FrameSink::Stats(const Napi::CallbackInfo& info) {
  Napi::Object stats = Napi::Object::New(info.Env());
  std::lock_guard<std::mutex> lock(core_->mutex);
  stats.Set("decoded", static_cast<double>(core_->decoded));
  stats.Set("pulled", static_cast<double>(core_->pulled));
  stats.Set("newestSequence", core_->newest ? static_cast<double>(core_->newest_sequence) : -1.0);
  return stats;
}

void FrameSink::CloseFromJs(const Napi::CallbackInfo&) { Close(); }

void FrameSink::Close() {
  if (!core_ || !core_->probe) return;
  gst_pad_remove_probe(core_->coded, core_->probe);
  core_->probe = 0;
  GstAppSinkCallbacks none{};
  gst_app_sink_set_callbacks(GST_APP_SINK(core_->appsink), &none, nullptr, nullptr);
  core_->ready.Close();
  // Pictures are megabytes and their pool has descriptors, and the wrapper may be collected much later.
  g_clear_pointer(&core_->coded, gst_object_unref);
  g_clear_pointer(&core_->appsink, gst_object_unref);
  std::lock_guard<std::mutex> lock(core_->mutex);
  core_->closed = true;
  g_clear_pointer(&core_->newest, gst_sample_unref);
  for (auto& [sequence, payload] : core_->passed) g_bytes_unref(payload);
  core_->passed.clear();
}

}  // namespace cap
