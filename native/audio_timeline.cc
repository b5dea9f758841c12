#include "audio_timeline.h"

#include <algorithm>
#include <cstdlib>

namespace cap {

namespace {

constexpr int64_t kSecondNs = 1000000000;
// More than this is no drift: the stream paused, or was connected anew.
constexpr int64_t kJumpNs = 50000000;
constexpr int64_t kToleratedDriftNs = 1000000;
constexpr int64_t kMostSilenceFrames = 10 * kAudioRate;

int64_t ToFrames(int64_t ns) { return ns * kAudioRate / kSecondNs; }

// The same sound in one frame more or less, by linear interpolation.
std::vector<int16_t> Stretch(const int16_t* in, size_t frames, size_t wanted) {
  std::vector<int16_t> out(wanted * kAudioChannels);
  for (size_t i = 0; i < wanted; ++i) {
    const double at = static_cast<double>(i) * static_cast<double>(frames - 1) / static_cast<double>(wanted - 1);
    const size_t left = std::min(static_cast<size_t>(at), frames - 2);
    const double part = at - static_cast<double>(left);
    for (int c = 0; c < kAudioChannels; ++c) {
      const int16_t *a = in + left * kAudioChannels + c, *b = a + kAudioChannels;
      out[i * kAudioChannels + c] = static_cast<int16_t>(*a + part * (*b - *a));
    }
  }
  return out;
}

}  // namespace

int64_t AudioTimeline::TimeOf(int64_t frame) const {
  // In two parts: nanoseconds times the rate would overflow after two days.
  return begin_ns_ + frame / kAudioRate * kSecondNs + frame % kAudioRate * kSecondNs / kAudioRate;
}

int64_t AudioTimeline::End() const { return TimeOf(taken_ + static_cast<int64_t>(waiting_.size()) / kAudioChannels); }

void AudioTimeline::Append(const int16_t* samples, size_t frames) {
  if (samples) {
    waiting_.insert(waiting_.end(), samples, samples + frames * kAudioChannels);
  } else {
    waiting_.insert(waiting_.end(), frames * kAudioChannels, int16_t{0});
  }
}

bool AudioTimeline::Add(const int16_t* samples, size_t frames, int64_t first_ns) {
  const int64_t late_ns = first_ns - End();
  if (std::abs(late_ns) > kJumpNs) {
    if (late_ns > 0) {
      if (!FillUntil(first_ns)) return false;
    } else {
      const size_t known = std::min(frames, static_cast<size_t>(ToFrames(-late_ns)));
      if (samples) samples += known * kAudioChannels;
      frames -= known;
    }
    Append(samples, frames);
    return true;
  }
  if (!samples || frames < 3 || std::abs(late_ns) < kToleratedDriftNs) {
    Append(samples, frames);
    return true;
  }
  const size_t stretched = late_ns > 0 ? frames + 1 : frames - 1;
  Append(Stretch(samples, frames, stretched).data(), stretched);
  return true;
}

bool AudioTimeline::FillUntil(int64_t ns) {
  const int64_t missing = ToFrames(ns - End());
  if (missing > kMostSilenceFrames) return false;
  if (missing > 0) Append(nullptr, static_cast<size_t>(missing));
  return true;
}

bool AudioTimeline::Take(size_t frames, int16_t* out, int64_t& first_ns) {
  const size_t count = frames * kAudioChannels;
  if (waiting_.size() < count) return false;
  std::copy_n(waiting_.begin(), count, out);
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<ptrdiff_t>(count));
  first_ns = TimeOf(taken_);
  taken_ += static_cast<int64_t>(frames);
  return true;
}

}  // namespace cap
