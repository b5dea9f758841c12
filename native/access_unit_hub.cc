#include "access_unit_hub.h"

#include <gst/video/video.h>

#include <algorithm>

#include "frame_meta.h"
#include "frame_stamper.h"
#include "main_loop.h"
#include "pipeline.h"
#include "sei.h"
#include "unit_receiver.h"

namespace cap {

const char* const kRefreshEvent = "cap-refresh";
const char* const kJoinedField = "joined";

namespace {

// A longer or larger GOP is not kept: who joins waits for the next key frame.
constexpr size_t kMostGopUnits = 900, kMostGopBytes = 16 << 20;

}  // namespace

HubCore::HubCore(unsigned min_key_interval_ms, bool keep_gop, uint64_t coding_delay_ns)
    : min_key_interval_ns_(uint64_t{min_key_interval_ms} * 1000000),
      keep_gop_(keep_gop),
      coding_delay_ns_(coding_delay_ns) {}

std::shared_ptr<HubCore> HubCore::Open(GstElement* appsink, unsigned min_key_interval_ms, bool keep_gop,
                                       uint64_t coding_delay_ns) {
  std::shared_ptr<HubCore> core(new HubCore(min_key_interval_ms, keep_gop, coding_delay_ns));
  core->appsink_ = GST_ELEMENT(gst_object_ref(appsink));
  GstAppSinkCallbacks callbacks{};
  callbacks.new_sample = OnSample;
  // The callbacks own the core until Close replaces them: a running one may end after that.
  gst_app_sink_set_callbacks(GST_APP_SINK(appsink), &callbacks, new std::shared_ptr<HubCore>(core),
                             [](gpointer data) { delete static_cast<std::shared_ptr<HubCore>*>(data); });
  return core;
}

std::shared_ptr<HubCore> HubCore::OpenRemote(std::function<void()> ask) {
  // The hub on the other side limits the rate of key frames.
  std::shared_ptr<HubCore> core(new HubCore(0, false, 0));
  core->ask_ = std::move(ask);
  return core;
}

HubCore::~HubCore() {
  Close();
  ForgetGop();
  gst_caps_replace(&noted_caps_, nullptr);
  if (appsink_) gst_object_unref(appsink_);
}

void HubCore::Close() {
  std::vector<Entry> dropped;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    closed_ = true;
    dropped.swap(consumers_);
  }
  if (appsink_) {
    GstAppSinkCallbacks none{};
    gst_app_sink_set_callbacks(GST_APP_SINK(appsink_), &none, nullptr, nullptr);
  }
  for (const Entry& entry : dropped) entry.consumer->End();
}

void HubCore::Add(std::shared_ptr<AccessUnitConsumer> consumer, bool watches) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    consumers_.push_back({std::move(consumer), watches});
  }
  if (watches) Watch(1);
  RequestKeyFrame();
}

void HubCore::Remove(const std::shared_ptr<AccessUnitConsumer>& consumer) {
  bool watched = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = std::find_if(consumers_.begin(), consumers_.end(),
                                    [&](const Entry& entry) { return entry.consumer == consumer; });
    if (found == consumers_.end()) return;
    watched = found->watches;
    consumers_.erase(found);
  }
  if (watched) Watch(-1);
}

void HubCore::OnWatched(std::function<void()> listener) {
  std::lock_guard<std::mutex> lock(mutex_);
  on_watched_ = std::move(listener);
}

void HubCore::Watch(int difference) {
  watchers_ += difference;
  std::function<void()> listener;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    listener = on_watched_;
  }
  if (listener) listener();
}

void HubCore::RequestKeyFrame() {
  const uint64_t now = MonotonicNs();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_ || key_wanted_) return;
    const uint64_t next = last_key_request_ns_ + min_key_interval_ns_;
    if (last_key_request_ns_ != 0 && now < next) {
      key_wanted_ = true;
      // By a timer, not by the next frame: a screen that stands still has none.
      const auto wait_ms = static_cast<unsigned>((next - now) / 1000000 + 1);
      MainLoop::Get().After(wait_ms, [weak = weak_from_this()] {
        if (auto self = weak.lock()) self->SendWantedKeyRequest();
      });
      return;
    }
    last_key_request_ns_ = now;
  }
  SendKeyRequest();
}

void HubCore::SendWantedKeyRequest() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    key_wanted_ = false;
    if (closed_) return;
    last_key_request_ns_ = MonotonicNs();
  }
  SendKeyRequest();
}

void HubCore::SendKeyRequest() {
  ++counters_.key_requests;
  if (!appsink_) return ask_();
  GstPad* pad = gst_element_get_static_pad(appsink_, "sink");
  gst_pad_push_event(pad, gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 0));
  gst_object_unref(pad);
  // Encoders keep the request to themselves; a source that waits for something to change must hear of it too.
  AskForFrame(/*joined=*/true);
}

void HubCore::Refresh() { AskForFrame(/*joined=*/false); }

void HubCore::AskForFrame(bool joined) {
  if (!appsink_) return;
  GstPad* pad = gst_element_get_static_pad(appsink_, "sink");
  GstStructure* request = gst_structure_new(kRefreshEvent, kJoinedField, G_TYPE_BOOLEAN, joined, nullptr);
  gst_pad_push_event(pad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, request));
  gst_object_unref(pad);
}

void HubCore::SetStaticSections(std::vector<uint8_t> sections) {
  std::lock_guard<std::mutex> lock(mutex_);
  static_sections_ = std::move(sections);
}

GstFlowReturn HubCore::OnSample(GstAppSink* sink, gpointer data) {
  GstSample* sample = gst_app_sink_pull_sample(sink);
  if (!sample) return GST_FLOW_EOS;
  (*static_cast<std::shared_ptr<HubCore>*>(data))->Deliver(sample);
  gst_sample_unref(sample);
  return GST_FLOW_OK;
}

void HubCore::ForgetGop() {
  for (const AccessUnit& unit : gop_) gst_buffer_unref(unit.buffer);
  gop_.clear();
  gop_bytes_ = 0;
}

// Keeps the units from the last key frame on, as long as they fit.
void HubCore::Keep(const AccessUnit& unit) {
  if (unit.key) ForgetGop();
  if (!unit.key && gop_.empty()) return;
  gop_bytes_ += gst_buffer_get_size(unit.buffer);
  if (gop_.size() >= kMostGopUnits || gop_bytes_ > kMostGopBytes) return ForgetGop();
  gop_.push_back(unit);
  gst_buffer_ref(unit.buffer);
}

// The same bytes with an SEI before the first slice; memory is shared, not copied. A stream of cap's
// that is passed on keeps the metadata it has.
GstBuffer* HubCore::WithSei(GstBuffer* buffer) {
  const FrameMeta* meta = GetFrameMeta(buffer);
  GstMapInfo map;
  if (!meta || !gst_buffer_map(buffer, &map, GST_MAP_READ)) return gst_buffer_ref(buffer);
  const bool has_sei = keep_gop_ && FindSeiPayload(map.data, map.size);
  const size_t at = FirstSliceOffset(map.data, map.size);
  const size_t size = map.size;
  gst_buffer_unmap(buffer, &map);
  if (has_sei) return gst_buffer_ref(buffer);
  std::vector<uint8_t> sections;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    sections = static_sections_;
  }
  const std::vector<uint8_t> payload =
      BuildPayload({meta->frame_number, meta->monotonic_ns, meta->wall_us, ClockId(),
                    static_cast<uint16_t>(meta->width), static_cast<uint16_t>(meta->height), meta->damage},
                   sections);
  const std::vector<uint8_t> nal = BuildSeiNal(payload.data(), payload.size());
  const auto flags = static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_METADATA | GST_BUFFER_COPY_MEMORY);
  GstBuffer* out = at > 0 ? gst_buffer_copy_region(buffer, flags, 0, at) : gst_buffer_new();
  GstMemory* memory = gst_allocator_alloc(nullptr, nal.size(), nullptr);
  GstMapInfo nal_map;
  gst_memory_map(memory, &nal_map, GST_MAP_WRITE);
  std::copy(nal.begin(), nal.end(), nal_map.data);
  gst_memory_unmap(memory, &nal_map);
  gst_buffer_append_memory(out, memory);
  if (at < size) gst_buffer_copy_into(out, buffer, GST_BUFFER_COPY_MEMORY, at, size - at);
  GST_BUFFER_FLAGS(out) = GST_BUFFER_FLAGS(buffer);
  return out;
}

// Sound has no frame's meta: there it is base time + PTS, as the pipeline's clock is CLOCK_MONOTONIC.
uint64_t HubCore::CapturedNs(GstBuffer* buffer) const {
  if (const FrameMeta* meta = GetFrameMeta(buffer)) return meta->monotonic_ns;
  if (!GST_BUFFER_PTS_IS_VALID(buffer)) return MonotonicNs();
  return gst_element_get_base_time(appsink_) + GST_BUFFER_PTS(buffer) - coding_delay_ns_;
}

void HubCore::Deliver(GstSample* sample) {
  GstBuffer* buffer = gst_sample_get_buffer(sample);
  if (!buffer) return;
  const FrameMeta* meta = GetFrameMeta(buffer);
  const AccessUnit unit{WithSei(buffer), CapturedNs(buffer),
                        !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT),
                        !meta || !meta->damage || !meta->damage->empty()};
  Take(unit, gst_sample_get_caps(sample));
  gst_buffer_unref(unit.buffer);
}

void HubCore::NoteSize(GstCaps* caps) {
  if (!caps || caps == noted_caps_) return;
  gst_caps_replace(&noted_caps_, caps);
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  int width = 0, height = 0;
  gst_structure_get_int(structure, "width", &width);
  gst_structure_get_int(structure, "height", &height);
  counters_.width = width;
  counters_.height = height;
}

void HubCore::Take(const AccessUnit& unit, GstCaps* caps) {
  ++counters_.access_units;
  if (unit.key) ++counters_.key_frames;
  counters_.bytes += gst_buffer_get_size(unit.buffer);
  // Sound that an output has not played yet is captured before it is heard.
  const uint64_t now = MonotonicNs();
  if (now > unit.captured_ns) counters_.encode_ns += now - unit.captured_ns;
  counters_.newest_captured_ns = unit.captured_ns;
  NoteSize(caps);
  std::vector<std::shared_ptr<AccessUnitConsumer>> consumers;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const Entry& entry : consumers_) consumers.push_back(entry.consumer);
  }
  if (keep_gop_) Keep(unit);
  for (const auto& consumer : consumers) {
    if (!gop_.empty() && consumer->WantsGop()) {
      consumer->ConsumeGop(gop_, caps);
    } else {
      consumer->Consume(unit, caps);
    }
  }
}

// --- the JavaScript class ---

Napi::Function AccessUnitHub::Define(Napi::Env env) {
  return DefineClass(
      env, "AccessUnitHub",
      {InstanceMethod<&AccessUnitHub::RequestKeyFrame>("requestKeyFrame"),
       InstanceMethod<&AccessUnitHub::SetStaticSections>("setStaticSections"),
       InstanceMethod<&AccessUnitHub::KeepsGop>("keepsGop"), InstanceMethod<&AccessUnitHub::Stats>("stats"),
       InstanceMethod<&AccessUnitHub::OnWatched>("onWatched"), InstanceMethod<&AccessUnitHub::Watched>("watched"),
       InstanceMethod<&AccessUnitHub::Watch>("watch"), InstanceMethod<&AccessUnitHub::Close>("close")});
}

AccessUnitHub* AccessUnitHub::From(Napi::Value value) {
  return ObjectWrap<AccessUnitHub>::Unwrap(value.As<Napi::Object>());
}

// new AccessUnitHub(pipeline, appsinkName, minKeyFrameIntervalMs, keepGop), or (receiver)
AccessUnitHub::AccessUnitHub(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  if (info.Length() == 1) {
    core_ = UnitReceiver::From(info[0])->hub();
    return;
  }
  GstElement* appsink = Pipeline::From(info[0])->Element(info.Env(), info[1].As<Napi::String>().Utf8Value());
  const bool is_appsink = GST_IS_APP_SINK(appsink);
  if (is_appsink) {
    const auto coding_delay_ns = static_cast<uint64_t>(info[4].As<Napi::Number>().Int64Value());
    core_ = HubCore::Open(appsink, info[2].As<Napi::Number>().Uint32Value(), info[3].ToBoolean(), coding_delay_ns);
  }
  gst_object_unref(appsink);
  if (!is_appsink) Throw(info.Env(), "usage", "the hub takes an appsink");
}

AccessUnitHub::~AccessUnitHub() {
  if (core_) core_->Close();
  if (events_) events_->Close();
}

// onWatched(listener): called whenever `watched()` may have changed
void AccessUnitHub::OnWatched(const Napi::CallbackInfo& info) {
  // Whoever finds the queue full is told by what is in it: the listener asks what is the case now.
  events_ = std::make_shared<EventChannel>(info.Env(), info[0].As<Napi::Function>(), "cap stream watched", 1);
  core_->OnWatched([events = events_] { events->Post({"watched", {}}); });
}

Napi::Value AccessUnitHub::Watched(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), core_->watched());
}

void AccessUnitHub::RequestKeyFrame(const Napi::CallbackInfo&) { core_->RequestKeyFrame(); }

void AccessUnitHub::SetStaticSections(const Napi::CallbackInfo& info) {
  auto bytes = info[0].As<Napi::Buffer<uint8_t>>();
  core_->SetStaticSections({bytes.Data(), bytes.Data() + bytes.Length()});
}

Napi::Value AccessUnitHub::KeepsGop(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), core_->keeps_gop());
}

Napi::Value AccessUnitHub::Stats(const Napi::CallbackInfo& info) {
  const auto& counters = core_->counters();
  Napi::Object stats = Napi::Object::New(info.Env());
  stats.Set("accessUnits", static_cast<double>(counters.access_units));
  stats.Set("keyFrames", static_cast<double>(counters.key_frames));
  stats.Set("bytes", static_cast<double>(counters.bytes));
  stats.Set("keyFrameRequests", static_cast<double>(counters.key_requests));
  stats.Set("captureToEncodedMs", static_cast<double>(counters.encode_ns) / 1e6);
  stats.Set("width", static_cast<double>(counters.width));
  stats.Set("height", static_cast<double>(counters.height));
  const uint64_t newest = counters.newest_captured_ns;
  if (newest > 0) stats.Set("newestAgeMs", static_cast<double>(MonotonicNs() - newest) / 1e6);
  return stats;
}

// watch(): somebody looks at the stream until the function that it gives is called
Napi::Value AccessUnitHub::Watch(const Napi::CallbackInfo& info) {
  auto watching = std::make_shared<std::unique_ptr<Watching>>(std::make_unique<Watching>(core_));
  return Napi::Function::New(info.Env(), [watching](const Napi::CallbackInfo&) { watching->reset(); });
}

void AccessUnitHub::Close(const Napi::CallbackInfo&) {
  core_->Close();
  if (events_) events_->Close();
}

}  // namespace cap
