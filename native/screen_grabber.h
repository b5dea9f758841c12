// Something that gives pictures of a screen or window when they change, for screen_source.h to make frames of.
#pragma once

#include <cstdint>
#include <string>

#include "plane_scaler.h"
#include "rect.h"

namespace cap {

class ScreenGrabber {
 public:
  virtual ~ScreenGrabber() = default;

  // Asks for the next picture: it comes when something has changed.
  virtual void Request() = 0;
  // Whether it was asked for and has not come.
  virtual bool pending() const = 0;

  enum class News {
    kNothing,
    kPicture,  // to be read with Read before the next request
    kFailed,   // ask again after a while
    kLost,     // for good
  };
  // What has come since the last call. Never blocks. `reason` is set for the last two.
  virtual News Poll(std::string& reason) = 0;

  // The picture's size: what will come, and once there was a picture what has come.
  virtual int width() const = 0;
  virtual int height() const = 0;

  // Reads what changed, or all of it, into `picture`, which is of this size. Fills `changed` with what
  // was read, in the picture's coordinates. False when nobody said what changed: then that is all of it.
  virtual bool Read(bool all, const I420& picture, Rects& changed) = 0;

  // When the screen showed what was read last; CLOCK_MONOTONIC, 0 when not known.
  virtual uint64_t presented_ns() const = 0;

  // Becomes readable, or writable if it is backed up, when there may be news.
  virtual int fd() const = 0;
  virtual bool backed_up() const { return false; }
  // When Poll is to be called although nothing came.
  virtual uint64_t check_ns() const { return UINT64_MAX; }

  // Whether the first picture may not come before something changes.
  virtual bool waits_for_change() const { return false; }
};

}  // namespace cap
