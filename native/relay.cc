#include "relay.h"

#include "frame_stamper.h"
#include "pipeline.h"
#include "sei.h"

namespace cap {

namespace {

// rtph264depay puts the parameter sets of the SDP before a delimiter, and rtph264pay would take them for
// an access unit of their own.
GstBuffer* WithDelimiterFirst(GstBuffer* buffer) {
  GstMapInfo map;
  if (!gst_buffer_map(buffer, &map, GST_MAP_READ)) return gst_buffer_copy(buffer);
  const auto [offset, length] = FindLateDelimiter(map.data, map.size);
  gst_buffer_unmap(buffer, &map);
  if (length == 0) return gst_buffer_copy(buffer);
  const auto flags = static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_METADATA | GST_BUFFER_COPY_MEMORY);
  GstBuffer* out = gst_buffer_copy_region(buffer, flags, offset, length);
  gst_buffer_copy_into(out, buffer, GST_BUFFER_COPY_MEMORY, 0, offset);
  gst_buffer_copy_into(out, buffer, GST_BUFFER_COPY_MEMORY, offset + length, static_cast<gsize>(-1));
  return out;
}

}  // namespace

RelayCore::RelayCore(GstElement* appsink, GstElement* appsrc, int max_fps)
    : appsink_(GST_ELEMENT(gst_object_ref(appsink))), appsrc_(GST_ELEMENT(gst_object_ref(appsrc))), max_fps_(max_fps) {}

RelayCore::~RelayCore() {
  Close();
  if (caps_) gst_caps_unref(caps_);
  gst_object_unref(appsink_);
  gst_object_unref(appsrc_);
}

void RelayCore::Start() {
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = OnSample;
  gst_app_sink_set_callbacks(GST_APP_SINK(appsink_), &callbacks, this, nullptr);
  Forward();
}

void RelayCore::Close() {
  // Replacing the callbacks waits for a running one, so `this` is not used after it.
  GstAppSinkCallbacks none{};
  gst_app_sink_set_callbacks(GST_APP_SINK(appsink_), &none, nullptr, nullptr);
}

GstFlowReturn RelayCore::OnSample(GstAppSink*, gpointer data) {
  static_cast<RelayCore*>(data)->Forward();
  return GST_FLOW_OK;
}

void RelayCore::Forward() {
  std::lock_guard<std::mutex> lock(mutex_);
  while (GstSample* sample = gst_app_sink_try_pull_sample(GST_APP_SINK(appsink_), 0)) {
    // A connection may begin in the middle of a GOP, whose pictures nobody could decode.
    if (max_fps_ == 0 && forwarded_ == 0 &&
        GST_BUFFER_FLAG_IS_SET(gst_sample_get_buffer(sample), GST_BUFFER_FLAG_DELTA_UNIT)) {
      gst_sample_unref(sample);
      continue;
    }
    ForwardCaps(gst_sample_get_caps(sample));
    GstBuffer* from = gst_sample_get_buffer(sample);
    GstBuffer* buffer = max_fps_ == 0 ? WithDelimiterFirst(from) : gst_buffer_copy(from);  // shares the memory
    const uint64_t base_time = gst_element_get_base_time(appsrc_), now = MonotonicNs();
    GST_BUFFER_PTS(buffer) = now > base_time ? now - base_time : 0;
    GST_BUFFER_DTS(buffer) = GST_BUFFER_DURATION(buffer) = GST_CLOCK_TIME_NONE;
    gst_sample_unref(sample);
    if (gst_app_src_push_buffer(GST_APP_SRC(appsrc_), buffer) == GST_FLOW_OK) ++forwarded_;
  }
}

void RelayCore::ForwardCaps(GstCaps* caps) {
  if (!caps || (caps_ && gst_caps_is_equal(caps_, caps))) return;
  gst_caps_replace(&caps_, caps);
  GstCaps* sent = gst_caps_copy(caps);
  if (max_fps_ > 0) gst_caps_set_simple(sent, "framerate", GST_TYPE_FRACTION, max_fps_, 1, nullptr);
  gst_app_src_set_caps(GST_APP_SRC(appsrc_), sent);
  gst_caps_unref(sent);
}

// --- the JavaScript class ---

Napi::Function Relay::Define(Napi::Env env) {
  return DefineClass(env, "Relay",
                     {InstanceMethod<&Relay::Forwarded>("forwarded"), InstanceMethod<&Relay::Close>("close")});
}

// new Relay(from: Pipeline, appsinkName, to: Pipeline, appsrcName, maxFps)
Relay::Relay(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Napi::Env env = info.Env();
  GstElement* appsink = Pipeline::From(info[0])->Element(env, info[1].As<Napi::String>().Utf8Value());
  GstElement* appsrc = Pipeline::From(info[2])->Element(env, info[3].As<Napi::String>().Utf8Value());
  if (GST_IS_APP_SINK(appsink) && GST_IS_APP_SRC(appsrc)) {
    core_ = std::make_shared<RelayCore>(appsink, appsrc, info[4].As<Napi::Number>().Int32Value());
  }
  gst_object_unref(appsink);
  gst_object_unref(appsrc);
  if (!core_) Throw(env, "usage", "a relay leads from an appsink to an appsrc");
  core_->Start();
}

Relay::~Relay() {
  if (core_) core_->Close();
}

Napi::Value Relay::Forwarded(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(core_->forwarded()));
}

void Relay::Close(const Napi::CallbackInfo&) { core_->Close(); }

}  // namespace cap
