// Reads a part of an X11 screen, or a window, into an I420 picture, and only the rectangles of it
// that changed: XDamage tells which, one shared memory segment brings them. The cursor is drawn on top.
// An X server that lacks one of these costs more, or gives less: see `lacks`.
#pragma once

#include <xcb/damage.h>
#include <xcb/shm.h>
#include <xcb/xcb.h>
#include <xcb/xfixes.h>

#include <memory>
#include <string>
#include <vector>

#include "plane_scaler.h"
#include "rect.h"
#include "x11_cursor.h"
#include "x11_target.h"

namespace cap {

class X11Grabber {
 public:
  struct Options {
    std::string display;
    Rect area;            // of the screen; empty: all of it, through its resizes
    uint32_t window = 0;  // instead of the screen, through its resizes
    bool cursor = true;   // whether the cursor is in the picture
  };

  // Null, with a reason, when the display cannot be opened or nothing of it can be read.
  static std::unique_ptr<X11Grabber> Open(const Options& options, std::string& reason);
  ~X11Grabber();

  // What the server lacks, and what follows from it, for people; empty when it has all.
  std::string lacks() const;
  // Whether it says what changed; else all of it may have, at any time.
  bool tells_damage() const { return tells_damage_; }

  // What has come since the last call. Never blocks.
  struct News {
    bool damaged = false;
    bool resized = false;
    bool lost = false;  // the connection is gone
  };
  News Poll();

  // Whether the pointer is elsewhere than it was drawn last: a round trip.
  bool PointerMoved() { return cursor_.Moved(); }

  // Takes what was damaged into the pending rectangles, so that later damage is news again.
  void Collect();

  // Makes the whole picture pending.
  void DamageAll();

  // Reads the pending rectangles into `picture`. Fills `changed` with them, in the picture's
  // coordinates. False when the server refused, as it does while it resizes.
  bool Grab(const I420& picture, Rects& changed);

  int fd() const { return xcb_get_file_descriptor(connection_); }
  int width() const { return target_->width(); }
  int height() const { return target_->height(); }

 private:
  X11Grabber() = default;
  bool Init(const Options& options, std::string& reason);
  void InitExtensions();
  void SelectEvents(xcb_window_t root, bool cursor);
  bool AllocateSegment();
  void FreeSegment();
  Rect whole() const { return {0, 0, width(), height()}; }
  bool Read(const Rects& rects, const I420& picture);
  bool ReadShared(const Rects& rects, const I420& picture);
  bool ReadSent(const Rects& rects, const I420& picture);
  void Convert(uint8_t* argb, const Rect& rect, const I420& picture);

  xcb_connection_t* connection_ = nullptr;
  std::unique_ptr<X11Target> target_;
  X11Cursor cursor_;
  bool tells_damage_ = false, has_cursor_ = false, shares_memory_ = false;
  uint8_t damage_event_ = 0;
  xcb_damage_damage_t damage_ = 0;
  xcb_xfixes_region_t region_ = 0;
  xcb_shm_seg_t segment_ = 0;
  uint8_t* shared_ = nullptr;
  size_t shared_size_ = 0;
  std::vector<uint8_t> argb_;  // of one rectangle, where the server's pixels must be turned into that
  Rects pending_;              // in the picture's coordinates
};

}  // namespace cap
