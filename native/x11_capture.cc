#include "x11_capture.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "frame_stamper.h"

namespace cap {

namespace {

// How often an idle screen's pointer is looked at.
constexpr uint64_t kPointerCheckNs = 100000000;
// Until a server that refused is asked again.
constexpr uint64_t kRefusedNs = 20000000;

}  // namespace

X11Capture::X11Capture() : wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

X11Capture::~X11Capture() { close(wake_); }

bool X11Capture::Open(std::string& reason) {
  grabber_ = X11Grabber::Open(options, reason);
  last_frame_ns_ = 0;
  return grabber_ != nullptr;
}

void X11Capture::Close() {
  picture_.reset();
  grabber_.reset();
}

void X11Capture::SetFlushing(bool flushing) {
  flushing_ = flushing;
  if (flushing) eventfd_write(wake_, 1);
}

void X11Capture::Refresh() {
  refresh_ = true;
  eventfd_write(wake_, 1);
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
  if (!old) pacer_->Damaged(MonotonicNs());
  return true;
}

X11Capture::Reason X11Capture::Wait() {
  if (!picture_) return Reason::kDamage;
  Reason reason;
  for (;;) {
    if (flushing_) return Reason::kFlushing;
    if (!Hear(/*old=*/false, reason)) return reason;
    if (refresh_.exchange(false)) return pacer_->pending() ? Reason::kDamage : Reason::kKeepAlive;
    const uint64_t now = MonotonicNs();
    if (!pacer_->pending()) {
      const uint64_t keep_alive = last_frame_ns_ + uint64_t{keep_alive_ms} * 1000000;
      if (now >= keep_alive) return Reason::kKeepAlive;
      SleepUntil(std::min(keep_alive, now + kPointerCheckNs));
      if (MonotonicNs() >= now + kPointerCheckNs && grabber_->PointerMoved()) pacer_->Damaged(MonotonicNs());
    } else if (now < pacer_->ListensFrom()) {
      SleepUntil(pacer_->ListensFrom(), /*deaf=*/true);
      if (!Hear(/*old=*/true, reason)) return reason;
    } else if (now >= pacer_->CaptureAt()) {
      return Reason::kDamage;
    } else {
      SleepUntil(pacer_->CaptureAt());
    }
  }
}

GstBuffer* X11Capture::MakeFrame(bool read, uint64_t& captured_ns, Rects& changed) {
  if (!picture_) {
    picture_ = std::make_unique<SharedPicture>(width(), height());
    grabber_->DamageAll();
    read = true;
  }
  captured_ns = MonotonicNs();
  if (read) {
    grabber_->PointerMoved();
    grabber_->Collect();
    picture_->MakeWritable();
    if (!grabber_->Grab(picture_->view(), changed)) {
      SleepUntil(captured_ns + kRefusedNs);
      pacer_->Damaged(MonotonicNs());
      return nullptr;
    }
  }
  pacer_->Captured(captured_ns);
  last_frame_ns_ = captured_ns;
  return picture_->ToBuffer();
}

}  // namespace cap
