// Keeps a constant-quantizer stream under a bitrate, by coarser quantizers while it is over.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace cap {

// A bucket that holds one second's worth of bits and leaks at the bitrate. Up to half full nothing
// is done; from there on the quantizer grows by 6, which about halves a frame, per eighth.
class BitrateGuard {
 public:
  explicit BitrateGuard(unsigned kbps) : capacity_(kbps * 1000.0) {}

  // What is in the bucket stays as long there as before, so that another bitrate is no shock to the quantizer.
  void SetBitrate(unsigned kbps) {
    const double capacity = kbps * 1000.0;
    level_ *= capacity / capacity_;
    capacity_ = capacity;
  }

  // How much coarser than wanted the frame at `now_ns` must be.
  int ExtraQuantizer(uint64_t now_ns) {
    if (now_ns > last_ns_) level_ = std::max(0.0, level_ - capacity_ * static_cast<double>(now_ns - last_ns_) / 1e9);
    last_ns_ = std::max(last_ns_, now_ns);
    return std::max(0, static_cast<int>(std::lround((level_ / capacity_ - 0.5) * 48)));
  }

  void Spent(size_t bytes) { level_ += static_cast<double>(bytes) * 8; }

 private:
  double capacity_;
  double level_ = 0;
  uint64_t last_ns_ = 0;
};

}  // namespace cap
