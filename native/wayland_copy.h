// Copies of an output or a window, made by the compositor when something in it changed: what the
// protocols for that have in common.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "rect.h"
#include "screen_pixels.h"
#include "wayland_buffer.h"
#include "wayland_connection.h"

namespace cap {

// One copy at a time, all into one buffer. What is asked here is sent by the connection's next
// Dispatch or Flush, which also brings the answers.
class WaylandCopy {
 public:
  enum class State {
    kIdle,
    kPending,  // asked for
    kReady,    // in the buffer, until Done
    kFailed,   // another try may succeed
    kLost,     // no try will
  };

  virtual ~WaylandCopy() = default;

  // Asks for a copy: the first comes at once, later ones when something has changed, maybe never.
  virtual void Request() = 0;
  // The output is turned another way from now on.
  virtual void OutputTurned() {}

  State state() const { return state_; }
  // Why it failed or is lost; without a full stop.
  const std::string& reason() const { return reason_; }
  // Ends kReady and kFailed.
  void Done() { state_ = State::kIdle; }

  // Of a copy that is ready:
  const WaylandBuffer& buffer() const { return *buffer_; }
  // What changed since the copy before, in the buffer; empty when that is not known.
  const Rects& damage() const { return damage_; }
  const Orientation& orientation() const { return orientation_; }
  // CLOCK_MONOTONIC as far as the compositor's clock is that; 0 when it did not say.
  uint64_t presented_ns() const { return presented_ns_; }

 protected:
  // The buffer for that layout, or the lost state.
  bool EnsureBuffer(wl_shm* shm, const PixelLayout& layout) {
    const int bytes = BytesPerPixel(layout.format);
    if (layout.width <= 0 || layout.height <= 0 || layout.width > kMostPixels || layout.height > kMostPixels ||
        layout.stride < layout.width * bytes) {
      return Lose("the compositor asks for a buffer that cannot be");
    }
    if (buffer_ && buffer_->layout() == layout) return true;
    buffer_ = WaylandBuffer::Allocate(shm, layout);
    fresh_ = true;
    return buffer_ ? true : Lose("there is no memory for the compositor's picture");
  }

  void Begin() {
    state_ = State::kPending;
    damage_.clear();
    presented_ns_ = 0;
  }

  void Fail(std::string reason) {
    state_ = State::kFailed;
    reason_ = std::move(reason);
    fresh_ = true;
  }

  bool Lose(std::string reason) {
    state_ = State::kLost;
    reason_ = std::move(reason);
    return false;
  }

  void SetReady() {
    state_ = State::kReady;
    if (fresh_) damage_.clear();
    fresh_ = false;
  }

  void SetPresented(uint32_t seconds_high, uint32_t seconds_low, uint32_t nanoseconds) {
    presented_ns_ = (uint64_t{seconds_high} << 32 | seconds_low) * 1000000000 + nanoseconds;
  }

  State state_ = State::kIdle;
  std::string reason_;
  std::unique_ptr<WaylandBuffer> buffer_;
  bool fresh_ = true;  // what the buffer holds is of no use
  Rects damage_;
  Orientation orientation_;
  uint64_t presented_ns_ = 0;

 private:
  static constexpr int kMostPixels = 16384;  // along a side
};

}  // namespace cap
