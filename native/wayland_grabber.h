// Reads an output or a window of a Wayland compositor, or a part of it, into an I420 picture, and only
// the rectangles of it that changed.
#pragma once

#include <memory>
#include <string>

#include "plane_scaler.h"
#include "rect.h"
#include "wayland_connection.h"
#include "wayland_copy.h"

namespace cap {

class WaylandGrabber {
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

  // Asks for the next picture: the first comes at once, later ones when something has changed.
  void Request();
  // Whether it was asked for and has not come.
  bool pending() const { return copy_->state() == WaylandCopy::State::kPending; }

  enum class News {
    kNothing,
    kPicture,  // to be read with Read before the next request
    kFailed,   // ask again after a while
    kLost,     // for good: the compositor, the monitor or the window is gone, or capture was stopped
  };
  // What has come since the last call. Never blocks. `reason` is set for the last two.
  News Poll(std::string& reason);

  // The picture's size: what will come, and once there was a picture what has come.
  int width() const { return area_.width; }
  int height() const { return area_.height; }

  // Reads what changed, or all of it, into `picture`, which is of this size. Fills `changed` with what
  // was read, in the picture's coordinates.
  void Read(bool all, const I420& picture, Rects& changed);

  // When the compositor showed what was read last; CLOCK_MONOTONIC, 0 when not known.
  uint64_t presented_ns() const { return copy_->presented_ns(); }

  int fd() const { return connection_->fd(); }
  bool backed_up() const { return connection_->backed_up(); }

 private:
  WaylandGrabber() = default;
  bool Init(const Options& options, std::string& reason);
  bool FindTarget(const Options& options, std::string& reason);
  bool OpenImageCopy(const Options& options, std::string& reason);
  bool Fits(std::string& reason);

  std::unique_ptr<WaylandConnection> connection_;  // outlives the copy
  const WaylandOutput* output_ = nullptr;
  const WaylandToplevel* toplevel_ = nullptr;
  std::unique_ptr<WaylandCopy> copy_;
  WaylandPixels pixels_;
  bool fixed_area_ = false;
  int output_transform_ = 0;
  Orientation read_as_;  // of the picture read last
  Rect upright_;         // the whole output or window
  Rect area_;            // what of it is read
};

}  // namespace cap
