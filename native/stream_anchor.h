// When the first byte of a recording was heard, as the mean of what the server says of its progress: each answer
// alone is off by what the server handles at once, some 10 to 20 ms.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>

namespace cap {

class StreamAnchor {
 public:
  void Reset() { count_ = 0; }

  void Observe(int64_t anchor_ns) {
    // So far off is no jitter: the device paused.
    if (count_ > 0 && std::abs(anchor_ns - anchor_ns_) > kJumpNs) count_ = 0;
    count_ = std::min(count_ + 1, kMemory);
    anchor_ns_ += (anchor_ns - anchor_ns_) / count_;
  }

  // Whether it has heard often enough to be believed.
  bool settled() const { return count_ >= kEnough; }
  int64_t ns() const { return anchor_ns_; }

 private:
  static constexpr int64_t kJumpNs = 100000000, kEnough = 8, kMemory = 64;
  int64_t anchor_ns_ = 0;
  int64_t count_ = 0;
};

}  // namespace cap
