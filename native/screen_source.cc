#include "screen_source.h"

#include <poll.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "copy_pacer.h"
#include "frame_stamper.h"
#include "shared_picture.h"

namespace cap {

namespace {

constexpr uint64_t kFirstPictureNs = 5000000000;
// After this long without one, a picture that waits for a change is stood in for by a grey one.
constexpr uint64_t kPlaceholderNs = 1000000000;

class ScreenCapture : public LiveCapture {
 public:
  explicit ScreenCapture(ScreenSource* source) : source_(source) {}

  bool Open(std::string& reason) override {
    grabber_ = reinterpret_cast<ScreenSourceClass*>(G_OBJECT_GET_CLASS(source_))->open(source_, reason);
    picture_.reset();
    pacer_ = CopyPacer();
    blank_ = grey_ = resized_ = false;
    opened_ns_ = MonotonicNs();
    last_frame_ns_ = 0;
    return grabber_ != nullptr;
  }

  void Close() override {
    auto* klass = reinterpret_cast<ScreenSourceClass*>(G_OBJECT_GET_CLASS(source_));
    if (klass->close && grabber_) klass->close(source_, std::move(grabber_));
    grabber_.reset();
    picture_.reset();
  }

  bool is_open() const override { return grabber_ != nullptr; }
  int width() const override { return grabber_->width(); }
  int height() const override { return grabber_->height(); }

  Outcome Next(LiveFrame& frame, std::string& why) override;

 private:
  enum class Reason { kPicture, kKeepAlive, kNothingYet, kLost, kFlushing };

  Reason Wait(std::string& why);
  void SleepUntil(uint64_t deadline_ns);
  bool SizeChanged() const;
  void TakeSize();
  void PaintGrey();
  bool Read(bool all, LiveFrame& frame);

  ScreenSource* const source_;
  std::unique_ptr<ScreenGrabber> grabber_;
  std::unique_ptr<SharedPicture> picture_;  // null before the first
  CopyPacer pacer_;
  bool blank_ = false;    // nothing was read into the picture yet
  bool resized_ = false;  // it is of a new size, and its caps went first
  bool grey_ = false;     // it is to be shown as it is
  uint64_t opened_ns_ = 0, last_frame_ns_ = 0;
};

// Sleeps until the deadline, a wake-up or news of the grabber.
void ScreenCapture::SleepUntil(uint64_t deadline_ns) {
  const uint64_t now = MonotonicNs();
  if (deadline_ns <= now) return;
  const uint64_t left = deadline_ns - now;
  const timespec timeout{static_cast<time_t>(left / 1000000000), static_cast<long>(left % 1000000000)};
  const short news = static_cast<short>(grabber_->backed_up() ? POLLIN | POLLOUT : POLLIN);
  pollfd fds[2] = {{wake_, POLLIN, 0}, {grabber_->fd(), news, 0}};
  eventfd_t count;
  if (ppoll(fds, 2, &timeout, nullptr) > 0 && fds[0].revents) eventfd_read(wake_, &count);
}

// Waits until there is a reason to make a frame. `why` is set when there never will be one.
ScreenCapture::Reason ScreenCapture::Wait(std::string& why) {
  for (;;) {
    if (flushing_) return Reason::kFlushing;
    const ScreenGrabber::News news = grabber_->Poll(why);
    const uint64_t now = MonotonicNs();
    if (news == ScreenGrabber::News::kLost) return Reason::kLost;
    if (news == ScreenGrabber::News::kPicture) {
      pacer_.Came(now);
      return Reason::kPicture;
    }
    if (news == ScreenGrabber::News::kFailed) {
      pacer_.Failed(now);
      if (pacer_.hopeless()) {
        why += ", " + std::to_string(pacer_.failures()) + " times in a row";
        return Reason::kLost;
      }
    }
    if (!grabber_->pending() && now >= pacer_.RequestFrom()) {
      grabber_->Request();
      continue;  // it may be there already
    }
    const bool waits = grabber_->waits_for_change();
    uint64_t deadline = opened_ns_ + (waits ? kPlaceholderNs : kFirstPictureNs);
    if (picture_) {
      if (refresh_.exchange(false)) return Reason::kKeepAlive;
      deadline = last_frame_ns_ + keep_alive_ns();
      if (now >= deadline) return Reason::kKeepAlive;
    } else if (now >= deadline && waits) {
      return Reason::kNothingYet;
    } else if (now >= deadline) {
      why = "the compositor gives no picture";
      return Reason::kLost;
    }
    if (!grabber_->pending()) deadline = std::min(deadline, pacer_.RequestFrom());
    SleepUntil(std::min(deadline, grabber_->check_ns()));
  }
}

bool ScreenCapture::SizeChanged() const {
  return !picture_ || picture_->view().width != width() || picture_->view().height != height();
}

// Makes a blank picture of the grabber's size.
void ScreenCapture::TakeSize() {
  picture_ = std::make_unique<SharedPicture>(width(), height());
  PaintGrey();
  blank_ = resized_ = true;
}

void ScreenCapture::PaintGrey() {
  const I420& picture = picture_->view();
  for (int plane = 0; plane < 3; ++plane) {
    const int rows = plane == 0 ? picture.height : (picture.height + 1) / 2;
    memset(picture.planes[plane], plane == 0 ? 0x7e : 0x80, static_cast<size_t>(picture.strides[plane]) * rows);
  }
}

// Reads the picture that came. False when nothing of what is captured changed.
bool ScreenCapture::Read(bool all, LiveFrame& frame) {
  const uint64_t now = MonotonicNs(), presented = grabber_->presented_ns();
  picture_->MakeWritable();
  frame.tells_damage = grabber_->Read(all, picture_->view(), frame.changed) || all;
  // The clock of whoever presents may be another one.
  frame.captured_ns = presented <= now && now - presented < GST_SECOND ? presented : now;
  return !frame.changed.empty();
}

LiveCapture::Outcome ScreenCapture::Next(LiveFrame& frame, std::string& why) {
  pacer_.set_interval(interval_ns());
  for (bool made = false; !made;) {
    // A picture of another size has come, or a placeholder is to stand in for it: its caps went first.
    const Reason reason = resized_ ? (grey_ ? Reason::kKeepAlive : Reason::kPicture) : Wait(why);
    switch (reason) {
      case Reason::kFlushing:
        return Outcome::kFlushing;
      case Reason::kLost:
        return Outcome::kLost;
      case Reason::kNothingYet:
        TakeSize();
        grey_ = true;
        return Outcome::kResized;
      case Reason::kKeepAlive:
        resized_ = false;
        frame.captured_ns = MonotonicNs();
        made = true;
        break;
      case Reason::kPicture:
        if (SizeChanged()) {
          TakeSize();
          grey_ = false;
          return Outcome::kResized;
        }
        resized_ = false;
        made = Read(/*all=*/blank_, frame);
        if (made) blank_ = false;
        break;
    }
  }
  frame.buffer = picture_->ToBuffer();
  last_frame_ns_ = MonotonicNs();
  return Outcome::kFrame;
}

}  // namespace

G_DEFINE_ABSTRACT_TYPE(ScreenSource, screen_source, live_source_get_type())

static void screen_source_class_init(ScreenSourceClass*) {}

static void screen_source_init(ScreenSource* self) { self->parent.capture = new ScreenCapture(self); }

}  // namespace cap
