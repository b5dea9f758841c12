// Reads an output or a window of a Wayland compositor, or a part of it, into an I420 picture, and only
// the rectangles of it that changed.
#pragma once

#include <memory>
#include <string>

#include "screen_area.h"
#include "screen_grabber.h"
#include "screen_pixels.h"
#include "wayland_connection.h"
#include "wayland_copy.h"

namespace cap {

class WaylandGrabber : public ScreenGrabber {
 public:
  struct Options {
    std::string display;   // a socket's name or path; empty: $WAYLAND_DISPLAY
    std::string output;    // a monitor's name; empty: the first
    std::string toplevel;  // a window's identifier, instead of a monitor
    Rect area;             // of the monitor; empty: all of it, through its resizes
    bool cursor = true;    // whether the cursor is in the picture
  };

  // Null, with a reason, when that cannot be captured.
  static std::unique_ptr<WaylandGrabber> Open(const Options& options, std::string& reason);

  // The first picture comes at once.
  void Request() override;
  bool pending() const override { return copy_->state() == WaylandCopy::State::kPending; }
  // Lost: the compositor, the monitor or the window is gone, or capture was stopped.
  News Poll(std::string& reason) override;
  int width() const override { return area_.area().width; }
  int height() const override { return area_.area().height; }
  bool Read(bool all, const I420& picture, Rects& changed) override;
  uint64_t presented_ns() const override { return copy_->presented_ns(); }
  int fd() const override { return connection_->fd(); }
  bool backed_up() const override { return connection_->backed_up(); }

 private:
  WaylandGrabber() = default;
  bool Init(const Options& options, std::string& reason);
  bool FindTarget(const Options& options, std::string& reason);
  bool OpenImageCopy(const Options& options, std::string& reason);

  std::unique_ptr<WaylandConnection> connection_;  // outlives the copy
  const WaylandOutput* output_ = nullptr;
  const WaylandToplevel* toplevel_ = nullptr;
  std::unique_ptr<WaylandCopy> copy_;
  ScreenPixels pixels_;
  int output_transform_ = 0;
  Orientation read_as_;  // of the picture read last
  Rect upright_;         // the whole output or window
  ScreenArea area_;      // what of it is read
};

}  // namespace cap
