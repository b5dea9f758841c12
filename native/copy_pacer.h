// Decides when a compositor is asked for its next picture, and when to stop asking.
#pragma once

#include <algorithm>
#include <cstdint>

namespace cap {

// After a quiet time a request waits at the compositor, so that a change comes at once. Under steady
// change the next one is made a little before it is due, and is answered with the compositor's next own
// frame. All times in nanoseconds of CLOCK_MONOTONIC.
class CopyPacer {
 public:
  void set_interval(uint64_t interval_ns) { interval_ns_ = interval_ns; }

  uint64_t RequestFrom() const { return request_from_ns_; }

  void Came(uint64_t now) {
    const uint64_t slack = std::min<uint64_t>(interval_ns_ / 8, 4000000);
    // Early and late pictures even out: the rate is held on average.
    due_ns_ = std::max(due_ns_ + interval_ns_, now + interval_ns_ - slack);
    request_from_ns_ = due_ns_ - slack;
    failures_ = 0;
  }

  void Failed(uint64_t now) {
    ++failures_;
    request_from_ns_ = now + kRetryNs;
  }

  // Of requests, one after another.
  int failures() const { return failures_; }
  bool hopeless() const { return failures_ >= kMostFailures; }

 private:
  static constexpr uint64_t kRetryNs = 100000000;
  static constexpr int kMostFailures = 20;

  uint64_t interval_ns_ = 1000000000 / 30;
  uint64_t due_ns_ = 0, request_from_ns_ = 0;
  int failures_ = 0;
};

}  // namespace cap
