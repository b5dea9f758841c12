#include "wayland_screencopy.h"

namespace cap {

struct WaylandScreencopy::FrameListener {
  static WaylandScreencopy& Of(void* data) { return *static_cast<WaylandScreencopy*>(data); }

  void (*buffer)(void*, wl_proxy*, uint32_t, uint32_t, uint32_t, uint32_t) =
      [](void* data, wl_proxy*, uint32_t format, uint32_t width, uint32_t height, uint32_t stride) {
        Of(data).OnBuffer({static_cast<int>(width), static_cast<int>(height), static_cast<int>(stride), format});
      };
  void (*flags)(void*, wl_proxy*, uint32_t) = [](void* data, wl_proxy*, uint32_t flags) { Of(data).flags_ = flags; };
  void (*ready)(void*, wl_proxy*, uint32_t, uint32_t, uint32_t) = [](void* data, wl_proxy*, uint32_t seconds_high,
                                                                     uint32_t seconds_low, uint32_t nanoseconds) {
    Of(data).SetPresented(seconds_high, seconds_low, nanoseconds);
    Of(data).OnReady();
  };
  void (*failed)(void*, wl_proxy*) = [](void* data, wl_proxy*) {
    Of(data).frame_.reset();
    Of(data).Fail("the compositor failed to copy its picture");
  };
  void (*damage)(void*, wl_proxy*, uint32_t, uint32_t, uint32_t,
                 uint32_t) = [](void* data, wl_proxy*, uint32_t x, uint32_t y, uint32_t width, uint32_t height) {
    Of(data).damage_.push_back(
        {static_cast<int>(x), static_cast<int>(y), static_cast<int>(width), static_cast<int>(height)});
  };
  void (*linux_dmabuf)(void*, wl_proxy*, uint32_t, uint32_t, uint32_t) = [](void*, wl_proxy*, uint32_t, uint32_t,
                                                                            uint32_t) {};
  void (*buffer_done)(void*, wl_proxy*) = [](void* data, wl_proxy*) { Of(data).OnOffersEnd(); };
};

void WaylandScreencopy::Request() {
  static const FrameListener listener;
  Begin();
  offer_ = {};
  offers_.clear();
  flags_ = 0;
  frame_ = Create(connection_.screencopy(), kCaptureOutput, kScreencopyFrameInterface, kDestroyScreencopyFrame, nullptr,
                  cursor_ ? 1 : 0, output_.proxy);
  Listen(frame_, listener, this);
}

// A copy may have been made before this was known: the next one is whole, and comes at once.
void WaylandScreencopy::OutputTurned() {
  frame_.reset();
  fresh_ = true;
  if (state_ == State::kPending) state_ = State::kIdle;
}

void WaylandScreencopy::OnBuffer(const PixelLayout& layout) {
  offers_ += " " + FormatName(layout.format);
  if (BytesPerPixel(layout.format) == 0) return;
  if (offer_.width == 0 || IsBetterFormat(layout.format, offer_.format)) offer_ = layout;
}

void WaylandScreencopy::OnOffersEnd() {
  if (offer_.width == 0) {
    Lose("the compositor offers no pixel format in shared memory that can be read" +
         (offers_.empty() ? std::string() : ", but" + offers_));
  } else if (EnsureBuffer(connection_.shm(), offer_)) {
    // A plain copy comes at once.
    Send(frame_, fresh_ ? kCopy : kCopyWithDamage, buffer_->proxy());
    return;
  }
  frame_.reset();
}

void WaylandScreencopy::OnReady() {
  frame_.reset();
  orientation_ = Orientation::FromTransform(output_.transform);
  if (flags_ & kYInvert) {
    orientation_.mirrored_y = !orientation_.mirrored_y;
    // Whether damage is mirrored with the picture is nowhere said: both are taken.
    const Rects given = damage_;
    for (const Rect& rect : given) {
      damage_.push_back({rect.x, buffer_->layout().height - rect.bottom(), rect.width, rect.height});
    }
  }
  SetReady();
}

}  // namespace cap
