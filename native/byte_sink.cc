#include "byte_sink.h"

#include <atomic>
#include <vector>

#include "event_channel.h"
#include "pipeline.h"

namespace cap {

namespace {

// A slow reader is given little at a time, so that it is seen to take something.
constexpr size_t kEnoughBytes = 64 << 10;

void Append(std::vector<uint8_t>& bytes, GstBuffer* buffer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return;
  bytes.insert(bytes.end(), map.data, map.data + map.size);
  gst_buffer_unmap(buffer, &map);
}

}  // namespace

struct ByteSink::Core {
  Core(Napi::Env env, Napi::Function listener) : ready(env, listener, "cap bytes ready", 1) {}
  ~Core() {
    if (appsink) gst_object_unref(appsink);
  }

  GstElement* appsink = nullptr;
  EventChannel ready;
  std::atomic<bool> waits{true};  // nothing was left when JavaScript pulled last
};

Napi::Function ByteSink::Define(Napi::Env env) {
  return DefineClass(env, "ByteSink",
                     {InstanceMethod<&ByteSink::Pull>("pull"), InstanceMethod<&ByteSink::CloseFromJs>("close")});
}

// new ByteSink(pipeline, appsinkName, onReady)
ByteSink::ByteSink(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  core_ = std::make_shared<Core>(info.Env(), info[2].As<Napi::Function>());
  core_->appsink = Pipeline::From(info[0])->Element(info.Env(), info[1].As<Napi::String>().Utf8Value());
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = OnSample;
  gst_app_sink_set_callbacks(GST_APP_SINK(core_->appsink), &callbacks, new std::shared_ptr<Core>(core_),
                             [](gpointer data) { delete static_cast<std::shared_ptr<Core>*>(data); });
}

ByteSink::~ByteSink() { Close(); }

GstFlowReturn ByteSink::OnSample(GstAppSink*, gpointer data) {
  Core& core = **static_cast<std::shared_ptr<Core>*>(data);
  if (core.waits.exchange(false)) core.ready.Post({"bytes", {}});
  return GST_FLOW_OK;
}

// pull(): the next bytes, a picture's at least, or null; then the next ones are announced.
Napi::Value ByteSink::Pull(const Napi::CallbackInfo& info) {
  if (!core_->appsink) return info.Env().Null();
  // Before looking, so that none is missed.
  core_->waits = true;
  std::vector<uint8_t> bytes;
  while (bytes.size() < kEnoughBytes) {
    GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(core_->appsink), 0);
    if (!sample) break;
    if (GstBuffer* buffer = gst_sample_get_buffer(sample)) Append(bytes, buffer);
    if (GstBufferList* list = gst_sample_get_buffer_list(sample)) {
      for (guint at = 0; at < gst_buffer_list_length(list); ++at) Append(bytes, gst_buffer_list_get(list, at));
    }
    gst_sample_unref(sample);
  }
  if (bytes.empty()) return info.Env().Null();
  return Napi::Buffer<uint8_t>::Copy(info.Env(), bytes.data(), bytes.size());
}

void ByteSink::CloseFromJs(const Napi::CallbackInfo&) { Close(); }

void ByteSink::Close() {
  if (!core_ || !core_->appsink) return;
  GstAppSinkCallbacks none{};
  gst_app_sink_set_callbacks(GST_APP_SINK(core_->appsink), &none, nullptr, nullptr);
  core_->ready.Close();
  g_clear_pointer(&core_->appsink, gst_object_unref);
}

}  // namespace cap
