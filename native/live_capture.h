// What a live source captures a screen with: it waits for a reason to make a frame, and makes it.
#pragma once

#include <gst/gst.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <string>

#include "rect.h"

namespace cap {

struct LiveFrame {
  GstBuffer* buffer = nullptr;  // goes downstream
  uint64_t captured_ns = 0;     // CLOCK_MONOTONIC
  Rects changed;                // since the frame before
  bool tells_damage = true;     // false: nobody knows what changed
};

class LiveCapture {
 public:
  virtual ~LiveCapture() { close(wake_); }
  LiveCapture(const LiveCapture&) = delete;
  LiveCapture& operator=(const LiveCapture&) = delete;

  // Set before `Open`.
  unsigned keep_alive_ms = 1000;

  // False, with a reason, when that cannot be captured.
  virtual bool Open(std::string& reason) = 0;
  virtual void Close() = 0;
  virtual bool is_open() const = 0;

  // Between frames: that of the caps, or a longer one while there are to be fewer. From any thread.
  void SetInterval(uint64_t interval_ns) { interval_ns_ = interval_ns; }
  void SetLeastInterval(uint64_t interval_ns) { least_interval_ns_ = interval_ns; }
  virtual int width() const = 0;
  virtual int height() const = 0;

  enum class Outcome {
    kFrame,
    kResized,  // the next frame is of the new size
    kLost,     // for good; `why` is set
    kFlushing,
  };

  // Blocks until there is something to tell; at once for the first frame.
  virtual Outcome Next(LiveFrame& frame, std::string& why) = 0;

  // Callable from any thread: ends a wait, for good or for a frame at once.
  void SetFlushing(bool flushing) {
    flushing_ = flushing;
    if (flushing) eventfd_write(wake_, 1);
  }
  void Refresh() {
    refresh_ = true;
    eventfd_write(wake_, 1);
  }
  // For somebody who has just joined: a frame at once, and those after it at the frame rate.
  void Welcome() {
    welcome_frames_ = kWelcomeFrames;
    Refresh();
  }
  void CountFrame() {
    if (welcome_frames_ > 0) --welcome_frames_;
  }

 protected:
  LiveCapture() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  uint64_t interval_ns() const { return std::max<uint64_t>(interval_ns_, least_interval_ns_); }

  // Most nanoseconds between two frames while nothing changes.
  uint64_t keep_alive_ns() const {
    const uint64_t usual = uint64_t{keep_alive_ms} * 1000000;
    return welcome_frames_ > 0 ? std::min(usual, interval_ns()) : usual;
  }

  const int wake_;
  // Players look at some frames before they show one: FFmpeg, and all that is built on it, at 20 and more, to learn the
  // frame rate (libavformat, fps_analyze_framecount). At a frame a second that takes half a minute.
  static constexpr int kWelcomeFrames = 30;

  std::atomic<int> welcome_frames_{0};
  std::atomic<bool> flushing_{false}, refresh_{false};
  std::atomic<uint64_t> interval_ns_{1000000000 / 30}, least_interval_ns_{0};
};

}  // namespace cap
