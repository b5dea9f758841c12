#include "pulse_source.h"

#include <gst/audio/audio.h>
#include <gst/base/gstpushsrc.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

#include "audio_timeline.h"
#include "frame_stamper.h"
#include "pulse_recording.h"

namespace cap {

namespace {

constexpr size_t kBlockFrames = kAudioRate / 50;
constexpr uint64_t kBlockNs = GST_SECOND / 50;
// What did not come after so long is missing: later than any device's latency.
constexpr uint64_t kPatienceNs = 500 * GST_MSECOND;
constexpr int64_t kMostAheadNs = 5 * GST_SECOND;

struct State {
  PulseRecording::Options options;
  std::mutex mutex;  // of `recording`, which Unlock wakes from another thread
  std::unique_ptr<PulseRecording> recording;
  std::unique_ptr<AudioTimeline> timeline;
  std::atomic<bool> flushing{false};
};

struct PulseSource {
  GstPushSrc parent;
  State* state;
};

struct PulseSourceClass {
  GstPushSrcClass parent_class;
};

enum { kPropMicrophone = 1, kPropDevice, kPropWatchStreams };

G_DEFINE_TYPE(PulseSource, pulse_source, GST_TYPE_PUSH_SRC)

State& StateOf(void* self) { return *reinterpret_cast<PulseSource*>(self)->state; }

void Post(GstElement* element, GstStructure* structure) {
  gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), structure));
}

gboolean Start(GstBaseSrc* base) {
  State& state = StateOf(base);
  GstElement* element = GST_ELEMENT(base);
  PulseRecording::Listener listener;
  listener.interrupted = [element](const std::string& reason) {
    Post(element, gst_structure_new("cap-source-interrupted", "message", G_TYPE_STRING, reason.c_str(), nullptr));
  };
  listener.resumed = [element] { Post(element, gst_structure_new_empty("cap-source-resumed")); };
  listener.streams_changed = [element] { Post(element, gst_structure_new_empty("cap-streams-changed")); };
  std::lock_guard<std::mutex> lock(state.mutex);
  state.recording = std::make_unique<PulseRecording>(state.options, std::move(listener));
  return TRUE;
}

gboolean Stop(GstBaseSrc* base) {
  State& state = StateOf(base);
  std::lock_guard<std::mutex> lock(state.mutex);
  state.recording.reset();
  state.timeline.reset();
  return TRUE;
}

// Lays what has come on the timeline; one that lies far back gives way to another.
void Record(State& state) {
  const auto now = static_cast<int64_t>(MonotonicNs());
  state.recording->Read([&](const PulseRecording::Piece& piece) {
    if (piece.first_ns > now + kMostAheadNs) return;  // no output has such a buffer
    if (state.timeline->Add(piece.samples, piece.frames, piece.first_ns)) return;
    state.timeline = std::make_unique<AudioTimeline>(piece.first_ns);
    state.timeline->Add(piece.samples, piece.frames, piece.first_ns);
  });
  const int64_t until_ns = now - static_cast<int64_t>(kPatienceNs);
  if (!state.timeline->FillUntil(until_ns)) state.timeline = std::make_unique<AudioTimeline>(until_ns);
}

GstFlowReturn Create(GstPushSrc* push, GstBuffer** out) {
  State& state = StateOf(push);
  if (!state.timeline) state.timeline = std::make_unique<AudioTimeline>(static_cast<int64_t>(MonotonicNs()));
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, kBlockFrames * kAudioChannels * sizeof(int16_t), nullptr);
  for (;;) {
    GstMapInfo map;
    gst_buffer_map(buffer, &map, GST_MAP_WRITE);
    int64_t first_ns = 0;
    const bool full = state.timeline->Take(kBlockFrames, reinterpret_cast<int16_t*>(map.data), first_ns);
    gst_buffer_unmap(buffer, &map);
    const auto base_time = static_cast<int64_t>(gst_element_get_base_time(GST_ELEMENT(push)));
    if (full && first_ns >= base_time) {
      GST_BUFFER_PTS(buffer) = static_cast<uint64_t>(first_ns - base_time);
      GST_BUFFER_DURATION(buffer) = kBlockNs;
      *out = buffer;
      return GST_FLOW_OK;
    }
    if (full) continue;
    if (state.flushing) {
      gst_buffer_unref(buffer);
      return GST_FLOW_FLUSHING;
    }
    state.recording->Iterate(MonotonicNs() + kBlockNs);
    Record(state);
  }
}

gboolean Unlock(GstBaseSrc* base) {
  State& state = StateOf(base);
  state.flushing = true;
  std::lock_guard<std::mutex> lock(state.mutex);
  if (state.recording) state.recording->Wake();
  return TRUE;
}

gboolean UnlockStop(GstBaseSrc* base) {
  StateOf(base).flushing = false;
  return TRUE;
}

gboolean Query(GstBaseSrc* base, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
    gst_query_set_latency(query, TRUE, kBlockNs, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(pulse_source_parent_class)->query(base, query);
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec*) {
  PulseRecording::Options& options = StateOf(object).options;
  switch (id) {
    case kPropMicrophone:
      if (g_value_get_boolean(value)) options.follow = PulseRecording::Follow::kMicrophone;
      break;
    case kPropDevice:
      options.device = g_value_get_string(value) ? g_value_get_string(value) : "";
      if (!options.device.empty()) options.follow = PulseRecording::Follow::kDevice;
      break;
    case kPropWatchStreams:
      options.watch_streams = g_value_get_boolean(value);
      break;
  }
}

void Finalize(GObject* object) {
  delete reinterpret_cast<PulseSource*>(object)->state;
  G_OBJECT_CLASS(pulse_source_parent_class)->finalize(object);
}

void pulse_source_class_init(PulseSourceClass* klass) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = SetProperty;
  object->finalize = Finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object, kPropMicrophone,
      g_param_spec_boolean("microphone", "", "Records the default input, not what the default output plays", FALSE,
                           flags));
  g_object_class_install_property(object, kPropDevice,
                                  g_param_spec_string("device", "", "Records this device and no other", "", flags));
  g_object_class_install_property(
      object, kPropWatchStreams,
      g_param_spec_boolean("watch-streams", "", "Says when what plays may have changed", FALSE, flags));
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_pad_template(
      element,
      gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                           gst_caps_from_string("audio/x-raw, format=" GST_AUDIO_NE(
                               S16) ", layout=interleaved, rate=48000, channels=2, channel-mask=(bitmask)0x3")));
  gst_element_class_set_static_metadata(element, "cap sound source", "Source/Audio",
                                        "Records from the sound server without a gap", "cap-gateway");
  auto* base = GST_BASE_SRC_CLASS(klass);
  base->start = Start;
  base->stop = Stop;
  base->unlock = Unlock;
  base->unlock_stop = UnlockStop;
  base->query = Query;
  GST_PUSH_SRC_CLASS(klass)->create = Create;
}

void pulse_source_init(PulseSource* self) {
  self->state = new State();
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

}  // namespace

void RegisterPulseSource() { gst_element_register(nullptr, "cappulsesrc", GST_RANK_NONE, pulse_source_get_type()); }

}  // namespace cap
