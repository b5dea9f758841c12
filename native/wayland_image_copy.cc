#include "wayland_image_copy.h"

namespace cap {

struct WaylandImageCopy::SessionListener {
  static WaylandImageCopy& Of(void* data) { return *static_cast<WaylandImageCopy*>(data); }

  void (*buffer_size)(void*, wl_proxy*, uint32_t, uint32_t) = [](void* data, wl_proxy*, uint32_t width,
                                                                 uint32_t height) {
    Of(data).incoming_.width = static_cast<int>(width);
    Of(data).incoming_.height = static_cast<int>(height);
  };
  void (*shm_format)(void*, wl_proxy*, uint32_t) = [](void* data, wl_proxy*, uint32_t format) {
    Of(data).any_formats_ = true;
    Of(data).incoming_.formats.push_back(format);
  };
  void (*dmabuf_device)(void*, wl_proxy*, wl_array*) = [](void*, wl_proxy*, wl_array*) {};
  void (*dmabuf_format)(void*, wl_proxy*, uint32_t, wl_array*) = [](void* data, wl_proxy*, uint32_t, wl_array*) {
    Of(data).any_formats_ = true;
  };
  void (*done)(void*, wl_proxy*) = [](void* data, wl_proxy*) { Of(data).TakeConstraints(); };
  void (*stopped)(void*, wl_proxy*) = [](void* data, wl_proxy*) {
    Of(data).frame_.reset();
    Of(data).Lose("the compositor stopped the capture");
  };
};

struct WaylandImageCopy::FrameListener {
  static WaylandImageCopy& Of(void* data) { return *static_cast<WaylandImageCopy*>(data); }

  void (*transform)(void*, wl_proxy*, uint32_t) = [](void* data, wl_proxy*, uint32_t transform) {
    Of(data).orientation_ = Orientation::FromTransform(static_cast<int>(transform));
  };
  void (*damage)(void*, wl_proxy*, int32_t, int32_t, int32_t, int32_t) = [](void* data, wl_proxy*, int32_t x, int32_t y,
                                                                            int32_t width, int32_t height) {
    Of(data).damage_.push_back({x, y, width, height});
  };
  void (*presentation_time)(void*, wl_proxy*, uint32_t, uint32_t, uint32_t) =
      [](void* data, wl_proxy*, uint32_t seconds_high, uint32_t seconds_low, uint32_t nanoseconds) {
        Of(data).SetPresented(seconds_high, seconds_low, nanoseconds);
      };
  void (*ready)(void*, wl_proxy*) = [](void* data, wl_proxy*) {
    Of(data).frame_.reset();
    Of(data).SetReady();
  };
  void (*failed)(void*, wl_proxy*, uint32_t) = [](void* data, wl_proxy*, uint32_t why) { Of(data).OnFailed(why); };
};

WaylandImageCopy::WaylandImageCopy(const WaylandConnection& connection, const WaylandOutput* output,
                                   const WaylandToplevel* toplevel, bool cursor)
    : shm_(connection.shm()) {
  static const SessionListener listener;
  source_ = toplevel ? Create(connection.toplevel_sources(), kCreateSource, kCaptureSourceInterface, kDestroySource,
                              nullptr, toplevel->handle.get())
                     : Create(connection.output_sources(), kCreateSource, kCaptureSourceInterface, kDestroySource,
                              nullptr, output->proxy);
  session_ = Create(connection.copy_manager(), kCreateSession, kCopySessionInterface, kDestroySession, nullptr,
                    source_.get(), cursor ? kPaintCursors : 0u);
  Listen(session_, listener, this);
}

// A batch that does not speak of size or formats leaves them as they were.
void WaylandImageCopy::TakeConstraints() {
  if (!any_formats_) incoming_.formats = constraints_.formats;
  constraints_ = incoming_;
  constrained_ = true;
  any_formats_ = false;
  incoming_.formats.clear();
  if (state_ != State::kPending) return;
  PixelLayout layout;
  if (!ChooseLayout(layout)) {
    frame_.reset();
  } else if (!frame_ || !(buffer_->layout() == layout)) {
    // A copy under way into a buffer of the old kind may wait for damage before it fails.
    Capture();
  }
}

bool WaylandImageCopy::ChooseLayout(PixelLayout& layout) {
  uint32_t best = 0;
  bool found = false;
  std::string offers;
  for (uint32_t format : constraints_.formats) {
    offers += " " + FormatName(format);
    if (BytesPerPixel(format) == 0 || (found && !IsBetterFormat(format, best))) continue;
    best = format;
    found = true;
  }
  if (!found) {
    return Lose("the compositor offers no pixel format in shared memory that can be read" +
                (offers.empty() ? std::string() : ", but" + offers));
  }
  layout = {constraints_.width, constraints_.height, (constraints_.width * BytesPerPixel(best) + 3) & ~3, best};
  return true;
}

void WaylandImageCopy::Request() {
  Begin();
  if (constrained_) Capture();
}

void WaylandImageCopy::Capture() {
  static const FrameListener listener;
  frame_.reset();
  PixelLayout layout;
  if (!ChooseLayout(layout) || !EnsureBuffer(shm_, layout)) return;
  damage_.clear();
  frame_ = Create(session_.get(), kCreateFrame, kCopyFrameInterface, kDestroyFrame, nullptr);
  Listen(frame_, listener, this);
  Send(frame_, kAttachBuffer, buffer_->proxy());
  // The compositor writes what changed since the last copy, which the buffer holds but for its first use.
  if (fresh_) Send(frame_, kDamageBuffer, 0, 0, layout.width, layout.height);
  Send(frame_, kCapture);
}

void WaylandImageCopy::OnFailed(uint32_t why) {
  frame_.reset();
  if (why == kFailedStopped) {
    Lose("the compositor stopped the capture");
  } else if (why == kFailedConstraints) {
    // New constraints have come or are on the way.
    buffer_.reset();
    Fail("the compositor does not accept the buffer that it asked for");
  } else {
    Fail(why == kFailedUnknown ? "the compositor failed to copy its picture"
                               : "the compositor failed to copy its picture: reason " + std::to_string(why));
  }
}

}  // namespace cap
