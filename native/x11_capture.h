// When the X11 source makes its next frame: it waits for damage, for the keep-alive's time or for
// somebody who asks, and paces them.
#pragma once

#include <cstdint>
#include <memory>

#include "capture_pacer.h"
#include "live_capture.h"
#include "shared_picture.h"
#include "x11_grabber.h"

namespace cap {

class X11Capture : public LiveCapture {
 public:
  // Set before `Open`.
  X11Grabber::Options options;

  bool Open(std::string& reason) override;
  void Close() override;
  bool is_open() const override { return grabber_ != nullptr; }

  int width() const override { return grabber_->width(); }
  int height() const override { return grabber_->height(); }

  Outcome Next(LiveFrame& frame, std::string& why) override;

 private:
  enum class Reason { kDamage, kKeepAlive, kResized, kLost, kFlushing };

  Reason Wait();
  bool MakeFrame(bool read, LiveFrame& frame);
  void SleepUntil(uint64_t deadline_ns, bool deaf = false);
  bool Hear(bool old, Reason& reason);

  std::unique_ptr<X11Grabber> grabber_;
  std::unique_ptr<SharedPicture> picture_;  // null until the next frame, which is whole
  CapturePacer pacer_;
  uint64_t last_frame_ns_ = 0;
};

}  // namespace cap
