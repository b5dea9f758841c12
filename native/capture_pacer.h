// Decides when to capture, so that a frame is as new as can be and the frame rate is kept.
#pragma once

#include <algorithm>
#include <cstdint>

namespace cap {

// After a quiet time a change is captured at once, but for a moment in which its companions may
// come. Under steady change a frame is due once an interval; capturing exactly then would lock onto
// any phase against the draws, often just before one, so around the due time it waits for the next
// draw and captures right after it. All times in nanoseconds of CLOCK_MONOTONIC.
class CapturePacer {
 public:
  void set_interval(uint64_t interval_ns) { interval_ = interval_ns; }

  // Something was drawn, seen at `now`.
  void Damaged(uint64_t now) {
    if (!pending_) first_ns_ = now;
    pending_ = true;
    newest_ns_ = now;
  }

  bool pending() const { return pending_; }

  // When the next frame may come at the earliest.
  uint64_t NotBefore() const { return due_ > Slack() ? due_ - Slack() : 0; }

  // When news of further draws begins to matter: before that they are all the same.
  uint64_t ListensFrom() const { return pending_ ? NotBefore() : 0; }

  // When to capture if nothing else comes; meaningless without something pending.
  uint64_t CaptureAt() const {
    const uint64_t earliest = NotBefore();
    // A draw within the window, or after a quiet time: only its companions are waited for.
    if (newest_ns_ >= earliest) return std::min(newest_ns_ + kSettle, std::max(first_ns_, earliest) + kMostSettle);
    return earliest + Slack() + kPatience;
  }

  void Captured(uint64_t now) {
    pending_ = false;
    // Early and late captures even out: the rate is held on average.
    due_ = std::max(due_ + interval_, now + interval_ - Slack());
  }

 private:
  static constexpr uint64_t kSettle = 400000;       // for the rest of a burst
  static constexpr uint64_t kMostSettle = 2000000;  // however long the burst
  static constexpr uint64_t kPatience = 5000000;    // for the next draw, past the due time

  uint64_t Slack() const { return std::min<uint64_t>(interval_ / 8, 4000000); }

  uint64_t interval_ = 1000000000 / 30;
  uint64_t due_ = 0;  // when the next frame may come; at the beginning at once
  bool pending_ = false;
  uint64_t first_ns_ = 0, newest_ns_ = 0;
};

}  // namespace cap
