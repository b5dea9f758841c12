#include "x11_capture.h"

#include <poll.h>

#include <algorithm>

#include "frame_stamper.h"

namespace cap {

namespace {

// How often an idle screen's pointer is looked at.
constexpr uint64_t kPointerCheckNs = 100000000;
// Until a server that refused is asked again.
constexpr uint64_t kRefusedNs = 20000000;

}  // namespace

bool X11Capture::Open(std::string& reason) {
  grabber_ = X11Grabber::Open(options, reason);
  pacer_ = CapturePacer();
  last_frame_ns_ = 0;
  return grabber_ != nullptr;
}

void X11Capture::Close() {
  picture_.reset();
  grabber_.reset();
}

// Sleeps until the deadline or a wake-up; also until an X event, unless deaf to them.
void X11Capture::SleepUntil(uint64_t deadline_ns, bool deaf) {
  const uint64_t now = MonotonicNs();
  if (deadline_ns <= now) return;
  const uint64_t left = deadline_ns - now;
  const timespec timeout{static_cast<time_t>(left / 1000000000), static_cast<long>(left % 1000000000)};
  pollfd fds[2] = {{wake_, POLLIN, 0}, {grabber_->fd(), POLLIN, 0}};
  eventfd_t count;
  if (ppoll(fds, deaf ? 1 : 2, &timeout, nullptr) > 0 && fds[0].revents) eventfd_read(wake_, &count);
}

// Takes what the server has to say. False when that is a reason in itself. Old news tells what has
// changed, but not when to capture.
bool X11Capture::Hear(bool old, Reason& reason) {
  const X11Grabber::News news = grabber_->Poll();
  if (news.lost || news.resized) {
    reason = news.lost ? Reason::kLost : Reason::kResized;
    return false;
  }
  if (!news.damaged) return true;
  grabber_->Collect();
  if (!old) pacer_.Damaged(MonotonicNs());
  return true;
}

// Blocks until there is a reason to make a frame; at once for the first one.
X11Capture::Reason X11Capture::Wait() {
  if (!picture_) return Reason::kDamage;
  Reason reason;
  for (;;) {
    if (flushing_) return Reason::kFlushing;
    if (!Hear(/*old=*/false, reason)) return reason;
    if (refresh_.exchange(false)) return pacer_.pending() ? Reason::kDamage : Reason::kKeepAlive;
    const uint64_t now = MonotonicNs();
    // Where nobody says that something was drawn, it may have been.
    if (!grabber_->tells_damage() && now >= pacer_.NotBefore()) pacer_.Damaged(now);
    if (!grabber_->tells_damage() && !pacer_.pending()) {
      SleepUntil(pacer_.NotBefore());
    } else if (!pacer_.pending()) {
      const uint64_t keep_alive = last_frame_ns_ + keep_alive_ns();
      if (now >= keep_alive) return Reason::kKeepAlive;
      SleepUntil(std::min(keep_alive, now + kPointerCheckNs));
      if (MonotonicNs() >= now + kPointerCheckNs && grabber_->PointerMoved()) pacer_.Damaged(MonotonicNs());
    } else if (now < pacer_.ListensFrom()) {
      SleepUntil(pacer_.ListensFrom(), /*deaf=*/true);
      if (!Hear(/*old=*/true, reason)) return reason;
    } else if (now >= pacer_.CaptureAt()) {
      return Reason::kDamage;
    } else {
      SleepUntil(pacer_.CaptureAt());
    }
  }
}

// Brings the picture up to date if `read`. False when the server refused to be read, as it does while it
// resizes: wait again.
bool X11Capture::MakeFrame(bool read, LiveFrame& frame) {
  if (!picture_) {
    picture_ = std::make_unique<SharedPicture>(width(), height());
    grabber_->DamageAll();
    read = true;
  }
  frame.captured_ns = MonotonicNs();
  if (read) {
    grabber_->PointerMoved();
    grabber_->Collect();
    picture_->MakeWritable();
    if (!grabber_->Grab(picture_->view(), frame.changed)) {
      SleepUntil(frame.captured_ns + kRefusedNs);
      pacer_.Damaged(MonotonicNs());
      frame.changed.clear();
      return false;
    }
  }
  pacer_.Captured(frame.captured_ns);
  last_frame_ns_ = frame.captured_ns;
  frame.buffer = picture_->ToBuffer();
  frame.tells_damage = grabber_->tells_damage();
  return true;
}

LiveCapture::Outcome X11Capture::Next(LiveFrame& frame, std::string& why) {
  pacer_.set_interval(interval_ns());
  for (;;) {
    const Reason reason = Wait();
    if (reason == Reason::kFlushing) return Outcome::kFlushing;
    if (reason == Reason::kLost) {
      why = "the X server is gone";
      return Outcome::kLost;
    }
    if (reason == Reason::kResized) {
      picture_.reset();
      return Outcome::kResized;
    }
    if (MakeFrame(reason != Reason::kKeepAlive, frame)) return Outcome::kFrame;
  }
}

}  // namespace cap
