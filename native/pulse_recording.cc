#include "pulse_recording.h"

#include <utility>

#include "audio_timeline.h"
#include "frame_stamper.h"

namespace cap {

namespace {

constexpr uint64_t kRetryNs = 1000000000, kAnswerNs = 5000000000;
constexpr uint64_t kAskNs = 100000000, kFirstAskNs = 15000000;
constexpr size_t kFrameBytes = kAudioChannels * sizeof(int16_t);
constexpr uint32_t kFragmentBytes = kAudioRate / 50 * kFrameBytes;

void Let(pa_operation* operation) {
  if (operation) pa_operation_unref(operation);
}

int64_t ToUs(int64_t bytes) { return bytes * 1000000 / static_cast<int64_t>(kAudioRate * kFrameBytes); }

bool EndsWith(const std::string& text, const char* end) {
  const std::string tail = end;
  return text.size() >= tail.size() && text.compare(text.size() - tail.size(), tail.size(), tail) == 0;
}

}  // namespace

PulseRecording::PulseRecording(Options options, Listener listener)
    : options_(std::move(options)), listener_(std::move(listener)) {}

PulseRecording::~PulseRecording() { CloseStream(); }

void PulseRecording::Interrupt(const std::string& reason) {
  CloseStream();
  retry_ns_ = MonotonicNs() + kRetryNs;
  if (!std::exchange(interrupted_, true)) listener_.interrupted(reason);
}

void PulseRecording::CloseStream() {
  current_.clear();
  if (!stream_) return;
  pa_stream_disconnect(stream_);
  pa_stream_unref(std::exchange(stream_, nullptr));
}

void PulseRecording::Iterate(uint64_t deadline_ns) {
  const uint64_t now = MonotonicNs();
  if (!connection_.begun() && now >= retry_ns_) {
    std::string reason;
    set_up_ = false;
    begun_ns_ = now;
    if (!connection_.Begin(reason)) Interrupt("the sound server does not answer: " + reason);
  }
  AskProgress(now);
  connection_.Iterate(deadline_ns);
  Check();
}

void PulseRecording::Check() {
  if (!connection_.begun()) return;
  const bool silent = !connection_.ready() && MonotonicNs() - begun_ns_ > kAnswerNs;
  if (connection_.failed() || silent) {
    Interrupt(silent ? "the sound server does not answer" : "the sound server is gone: " + connection_.Error());
    connection_.End();
    return;
  }
  if (!connection_.ready()) return;
  if (!std::exchange(set_up_, true)) Connected();
  if (stream_ && !PA_STREAM_IS_GOOD(pa_stream_get_state(stream_))) Interrupt(current_ + " is gone");
  if (!stream_ && MonotonicNs() >= retry_ns_) {
    retry_ns_ = MonotonicNs() + kRetryNs;
    FindDevice();
  } else if (stream_ && wanted_ != current_) {
    CloseStream();
    LookAt(wanted_);
  }
}

void PulseRecording::Connected() {
  int events = PA_SUBSCRIPTION_MASK_SERVER | PA_SUBSCRIPTION_MASK_SOURCE;
  if (options_.watch_streams) events |= PA_SUBSCRIPTION_MASK_SINK_INPUT | PA_SUBSCRIPTION_MASK_SINK;
  pa_context_set_subscribe_callback(connection_.context(), OnEvent, this);
  Let(pa_context_subscribe(connection_.context(), static_cast<pa_subscription_mask_t>(events), nullptr, nullptr));
  retry_ns_ = 0;
  listener_.streams_changed();
}

void PulseRecording::OnEvent(pa_context*, pa_subscription_event_type_t type, uint32_t, void* data) {
  auto* self = static_cast<PulseRecording*>(data);
  switch (type & PA_SUBSCRIPTION_EVENT_FACILITY_MASK) {
    case PA_SUBSCRIPTION_EVENT_SERVER:
      self->FindDevice();
      break;
    case PA_SUBSCRIPTION_EVENT_SOURCE:
      if (!self->stream_) self->retry_ns_ = 0;
      break;
    default:
      self->listener_.streams_changed();
  }
}

void PulseRecording::FindDevice() {
  if (options_.follow == Follow::kDevice) return LookAt(options_.device);
  Let(pa_context_get_server_info(connection_.context(), OnServer, this));
}

void PulseRecording::OnServer(pa_context*, const pa_server_info* info, void* data) {
  if (!info) return;
  auto* self = static_cast<PulseRecording*>(data);
  const bool output = self->options_.follow == Follow::kOutput;
  const char* name = output ? info->default_sink_name : info->default_source_name;
  std::string device = name ? name : "";
  if (output && !device.empty()) device += ".monitor";
  // Without a microphone servers give the monitor of an output for one.
  const bool none = device.empty() || (!output && EndsWith(device, ".monitor"));
  if (none) return self->Interrupt(output ? "there is no sound output" : "there is no microphone");
  self->wanted_ = device;
  if (!self->stream_) self->LookAt(device);
}

// A server that does not find a device may record another one instead, which could be a microphone that nobody
// asked for: so it is looked up first, must not be replaced later, and is compared with what was opened.
void PulseRecording::LookAt(const std::string& device) {
  wanted_ = device;
  Let(pa_context_get_source_info_by_name(connection_.context(), device.c_str(), OnSource, this));
}

void PulseRecording::OnSource(pa_context*, const pa_source_info* info, int end, void* data) {
  auto* self = static_cast<PulseRecording*>(data);
  if (end < 0) self->Interrupt("there is no device " + self->wanted_);
  if (info && info->name == self->wanted_ && !self->stream_) self->OpenStream(*info);
}

void PulseRecording::OpenStream(const pa_source_info& source) {
  const pa_sample_spec spec{PA_SAMPLE_S16NE, kAudioRate, kAudioChannels};
  stream_ = pa_stream_new(connection_.context(), "capture", &spec, nullptr);
  if (!stream_) return Interrupt("cannot record " + wanted_ + ": " + connection_.Error());
  pa_buffer_attr attr;
  attr.maxlength = attr.tlength = attr.prebuf = attr.minreq = static_cast<uint32_t>(-1);
  attr.fragsize = kFragmentBytes;
  const auto flags = static_cast<pa_stream_flags_t>(PA_STREAM_DONT_MOVE | PA_STREAM_ADJUST_LATENCY);
  current_ = source.name;
  anchor_.Reset();
  asked_ = false;
  if (pa_stream_connect_record(stream_, source.name, &attr, flags) < 0) {
    Interrupt("cannot record " + wanted_ + ": " + connection_.Error());
  }
}

// Asks how far the recording has come: often at first, as little is known then.
void PulseRecording::AskProgress(uint64_t now_ns) {
  if (!stream_ || asked_ || pa_stream_get_state(stream_) != PA_STREAM_READY || now_ns < ask_ns_) return;
  ask_ns_ = now_ns + (anchor_.settled() ? kAskNs : kFirstAskNs);
  pa_operation* operation = pa_stream_update_timing_info(stream_, OnProgress, this);
  asked_ = operation != nullptr;
  Let(operation);
}

void PulseRecording::OnProgress(pa_stream* stream, int success, void* data) {
  auto* self = static_cast<PulseRecording*>(data);
  self->asked_ = false;
  const pa_timing_info* info = pa_stream_get_timing_info(stream);
  if (!success || !info || info->write_index_corrupt) return;
  // What an output plays is heard once its buffer has been played, so its part is later.
  const int64_t heard_us =
      ToUs(info->write_index) + static_cast<int64_t>(info->source_usec) - static_cast<int64_t>(info->sink_usec);
  const int64_t ago_us = static_cast<int64_t>(WallUs()) - info->timestamp.tv_sec * 1000000LL - info->timestamp.tv_usec;
  self->anchor_.Observe(static_cast<int64_t>(MonotonicNs()) - (ago_us + heard_us) * 1000);
}

void PulseRecording::Read(const std::function<void(const Piece&)>& take) {
  while (stream_ && pa_stream_get_state(stream_) == PA_STREAM_READY) {
    const void* data = nullptr;
    size_t bytes = 0;
    if (pa_stream_peek(stream_, &data, &bytes) < 0 || bytes == 0) return;
    const char* device = pa_stream_get_device_name(stream_);
    if (!device || current_ != device) return Interrupt("the sound server has another device for " + current_);
    const pa_timing_info* info = pa_stream_get_timing_info(stream_);
    if (anchor_.settled() && info) {
      if (std::exchange(interrupted_, false)) listener_.resumed();
      take({static_cast<const int16_t*>(data), bytes / kFrameBytes, anchor_.ns() + ToUs(info->read_index) * 1000});
    }
    pa_stream_drop(stream_);
  }
}

}  // namespace cap
