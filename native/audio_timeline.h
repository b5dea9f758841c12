// Lays recorded sound on the clock without a gap: what is missing becomes silence, what comes twice is cut,
// and where the device's clock drifts a frame is stretched in or out of a block, so that nothing clicks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

namespace cap {

constexpr int kAudioRate = 48000, kAudioChannels = 2;

class AudioTimeline {
 public:
  // The first frame's time, CLOCK_MONOTONIC.
  explicit AudioTimeline(int64_t begin_ns) : begin_ns_(begin_ns) {}

  // Adds interleaved frames, of which the first was heard at `first_ns`; `samples` null: silence.
  // False when more is missing before than silence can be for, as after the process was stopped: begin anew.
  bool Add(const int16_t* samples, size_t frames, int64_t first_ns);

  // Goes on with silence where nothing came up to then. False as above.
  bool FillUntil(int64_t ns);

  // Takes that many frames, and says when the first of them was heard; false while there are fewer.
  bool Take(size_t frames, int16_t* out, int64_t& first_ns);

 private:
  int64_t TimeOf(int64_t frame) const;
  int64_t End() const;  // time of what will be added next
  void Append(const int16_t* samples, size_t frames);

  const int64_t begin_ns_;
  int64_t taken_ = 0;  // frames
  std::deque<int16_t> waiting_;
};

}  // namespace cap
