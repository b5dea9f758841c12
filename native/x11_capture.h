// When the X11 source makes its next frame: it waits for damage, for the keep-alive's time or for
// somebody who asks, and paces them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "capture_pacer.h"
#include "shared_picture.h"
#include "x11_grabber.h"

namespace cap {

class X11Capture {
 public:
  X11Capture();
  ~X11Capture();
  X11Capture(const X11Capture&) = delete;
  X11Capture& operator=(const X11Capture&) = delete;

  // Set before `Open`.
  X11Grabber::Options options;
  unsigned keep_alive_ms = 1000;

  // False, with a reason, when the display or the window cannot be captured.
  bool Open(std::string& reason);
  void Close();
  bool is_open() const { return grabber_ != nullptr; }

  void SetInterval(uint64_t interval_ns) { pacer_ = std::make_unique<CapturePacer>(interval_ns); }
  int width() const { return grabber_->width(); }
  int height() const { return grabber_->height(); }

  // Callable from any thread: ends a wait, for good or for a frame at once.
  void SetFlushing(bool flushing);
  void Refresh();

  enum class Reason { kDamage, kKeepAlive, kResized, kLost, kFlushing };

  // Blocks until there is a reason to make a frame; at once for the first one.
  Reason Wait();

  // After a resize: the next frame is of the new size and whole.
  void Resize() { picture_.reset(); }

  // Brings the picture up to date if `read`, and says when and what changed. Null when the server
  // refused to be read, as it does while it resizes: wait again.
  GstBuffer* MakeFrame(bool read, uint64_t& captured_ns, Rects& changed);

 private:
  void SleepUntil(uint64_t deadline_ns, bool deaf = false);
  bool Hear(bool old, Reason& reason);

  int wake_;
  std::atomic<bool> flushing_{false}, refresh_{false};
  std::unique_ptr<X11Grabber> grabber_;
  std::unique_ptr<SharedPicture> picture_;
  std::unique_ptr<CapturePacer> pacer_;
  uint64_t last_frame_ns_ = 0;
};

}  // namespace cap
