#include "frame_sink.h"

#include <gst/video/video.h>

#include <atomic>
#include <cstring>
#include <mutex>
#include <optional>
#include <vector>

#include "event_channel.h"
#include "frame_meta.h"
#include "frame_stamper.h"
#include "pipeline.h"
#include "sei.h"

namespace cap {

namespace {

// What one pull brings to JavaScript.
struct Picture {
  std::unique_ptr<uint8_t[]> rgb;
  size_t size = 0;
  int width = 0, height = 0;
  uint64_t sequence = 0, received_ns = 0, received_wall_us = 0;
  std::vector<uint8_t> sei_payload;
  bool has_payload = false;
};

std::optional<Picture> Convert(GstSample* sample) {
  GstVideoInfo from, to;
  if (!gst_video_info_from_caps(&from, gst_sample_get_caps(sample))) return std::nullopt;
  GstVideoFrame in;
  if (!gst_video_frame_map(&in, &from, gst_sample_get_buffer(sample), GST_MAP_READ)) return std::nullopt;
  gst_video_info_set_format(&to, GST_VIDEO_FORMAT_RGB, static_cast<guint>(from.width), static_cast<guint>(from.height));
  to.fps_n = from.fps_n;  // the converter insists that rates are alike
  to.fps_d = from.fps_d;
  Picture picture;
  picture.width = from.width;
  picture.height = from.height;
  const size_t stride = static_cast<size_t>(GST_VIDEO_INFO_PLANE_STRIDE(&to, 0));
  std::unique_ptr<uint8_t[]> padded(new uint8_t[GST_VIDEO_INFO_SIZE(&to)]);
  GstBuffer* wrapped =
      gst_buffer_new_wrapped_full(static_cast<GstMemoryFlags>(0), padded.get(), GST_VIDEO_INFO_SIZE(&to), 0,
                                  GST_VIDEO_INFO_SIZE(&to), nullptr, nullptr);
  GstVideoFrame out;
  bool converted = false;
  if (gst_video_frame_map(&out, &to, wrapped, GST_MAP_WRITE)) {
    if (GstVideoConverter* converter = gst_video_converter_new(&from, &to, nullptr)) {
      gst_video_converter_frame(converter, &in, &out);
      gst_video_converter_free(converter);
      converted = true;
    }
    gst_video_frame_unmap(&out);
  }
  gst_buffer_unref(wrapped);
  gst_video_frame_unmap(&in);
  if (!converted) return std::nullopt;
  // GStreamer pads rows to four bytes; consumers get packed rows.
  const size_t row = static_cast<size_t>(picture.width) * 3;
  if (row != stride) {
    for (int y = 1; y < picture.height; ++y) memmove(&padded[y * row], &padded[y * stride], row);
  }
  picture.rgb = std::move(padded);
  picture.size = row * static_cast<size_t>(picture.height);
  return picture;
}

Napi::Object ToObject(Napi::Env env, Picture& picture) {
  Napi::Object object = Napi::Object::New(env);
  uint8_t* data = picture.rgb.release();
  object.Set("data",
             Napi::Buffer<uint8_t>::New(env, data, picture.size, [](Napi::Env, uint8_t* bytes) { delete[] bytes; }));
  object.Set("width", picture.width);
  object.Set("height", picture.height);
  object.Set("sequence", static_cast<double>(picture.sequence));
  object.Set("receivedMonotonicNs", Napi::BigInt::New(env, picture.received_ns));
  object.Set("receivedWallUs", Napi::BigInt::New(env, picture.received_wall_us));
  if (picture.has_payload) {
    object.Set("seiPayload", Napi::Buffer<uint8_t>::Copy(env, picture.sei_payload.data(), picture.sei_payload.size()));
  }
  return object;
}

}  // namespace

struct FrameSink::Core {
  Core(Napi::Env env, Napi::Function listener) : ready(env, listener, "cap frame ready", 1) {}
  ~Core() {
    if (newest) gst_sample_unref(newest);
    if (appsink) gst_object_unref(appsink);
    if (coded) gst_object_unref(coded);
  }

  GstElement* appsink = nullptr;
  GstPad* coded = nullptr;  // where access units pass before the decoder
  gulong probe = 0;
  EventChannel ready;
  std::mutex mutex;
  bool closed = false;
  GstSample* newest = nullptr;
  uint64_t newest_sequence = 0, newest_ns = 0, newest_wall_us = 0;
  std::atomic<uint64_t> decoded{0}, pulled{0};
};

class PullWorker : public Napi::AsyncWorker {
 public:
  PullWorker(Napi::Env env, GstSample* sample, Picture stamps)
      : AsyncWorker(env), deferred_(Napi::Promise::Deferred::New(env)), sample_(sample), stamps_(std::move(stamps)) {}
  ~PullWorker() override { gst_sample_unref(sample_); }

  Napi::Promise promise() { return deferred_.Promise(); }

  void Execute() override {
    picture_ = Convert(sample_);
    if (!picture_) return;
    picture_->sequence = stamps_.sequence;
    picture_->received_ns = stamps_.received_ns;
    picture_->received_wall_us = stamps_.received_wall_us;
    const FrameMeta* meta = GetFrameMeta(gst_sample_get_buffer(sample_));
    if (meta && meta->sei_payload) {
      gsize size;
      auto* bytes = static_cast<const uint8_t*>(g_bytes_get_data(meta->sei_payload, &size));
      picture_->sei_payload.assign(bytes, bytes + size);
      picture_->has_payload = true;
    }
  }

  void OnOK() override {
    if (picture_) {
      deferred_.Resolve(ToObject(Env(), *picture_));
    } else {
      deferred_.Reject(
          Failure{"pipeline", "", "the decoded picture cannot be converted to RGB", ""}.ToError(Env()).Value());
    }
  }

 private:
  Napi::Promise::Deferred deferred_;
  GstSample* sample_;
  Picture stamps_;
  std::optional<Picture> picture_;
};

Napi::Function FrameSink::Define(Napi::Env env) {
  return DefineClass(env, "FrameSink",
                     {InstanceMethod<&FrameSink::Pull>("pull"), InstanceMethod<&FrameSink::Stats>("stats"),
                      InstanceMethod<&FrameSink::CloseFromJs>("close")});
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
  }
  if (old) gst_sample_unref(old);
  core.ready.Post({"frame", {}});
  return GST_FLOW_OK;
}

// pull(): the newest frame, or null when there has been none yet.
Napi::Value FrameSink::Pull(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  Picture stamps;
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
  auto* worker = new PullWorker(env, sample, std::move(stamps));
  Napi::Promise promise = worker->promise();
  worker->Queue();
  return promise;
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
}

}  // namespace cap
