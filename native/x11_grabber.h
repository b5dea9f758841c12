// Reads a rectangle of an X11 screen into an I420 picture, and only the parts of it that changed:
// XDamage tells which, one shared memory segment brings them. The cursor is drawn on top.
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

namespace cap {

class X11Grabber {
 public:
  struct Options {
    std::string display;
    Rect area;           // empty: the whole screen, followed through its resizes
    bool cursor = true;  // whether the cursor is in the picture
  };

  // Null, with a reason, when the display cannot be opened or an extension is missing.
  static std::unique_ptr<X11Grabber> Open(const Options& options, std::string& reason);
  ~X11Grabber();

  // What has come since the last call. Never blocks.
  struct News {
    bool damaged = false;
    bool resized = false;
    bool lost = false;  // the connection is gone
  };
  News Poll();

  // Asks where the pointer is: programs that put it somewhere cause no event. True when it has moved.
  bool PointerMoved();

  // Takes what was damaged into the pending rectangles, so that later damage is news again.
  void Collect();

  // Makes the whole picture pending.
  void DamageAll();

  // Reads the pending rectangles into `picture`. Fills `changed` with them, in the picture's
  // coordinates. False when the server refused, as it does while it resizes.
  bool Grab(const I420& picture, Rects& changed);

  int fd() const { return xcb_get_file_descriptor(connection_); }
  int width() const { return area_.width; }
  int height() const { return area_.height; }

 private:
  X11Grabber() = default;
  bool Init(const Options& options, std::string& reason);
  bool InitExtensions(std::string& reason);
  void SelectEvents();
  bool AllocateSegment();
  void FreeSegment();
  void CollectCursor();
  bool Read(const Rects& rects, const I420& picture);
  void DrawCursor(uint8_t* pixels, const Rect& rect) const;

  xcb_connection_t* connection_ = nullptr;
  xcb_window_t root_ = 0;
  Rect screen_, area_;
  bool follows_screen_ = false;
  uint8_t damage_event_ = 0, fixes_event_ = 0, input_opcode_ = 0;
  xcb_damage_damage_t damage_ = 0;
  xcb_xfixes_region_t region_ = 0;
  xcb_shm_seg_t segment_ = 0;
  uint8_t* shared_ = nullptr;
  size_t shared_size_ = 0;
  Rects pending_;  // in screen coordinates
  struct Cursor {
    bool wanted = false;
    bool moved = true;   // its image or its place has changed
    int x = -1, y = -1;  // of the pointer, when it was drawn last
    Rect rect;           // what the image covered then, in screen coordinates
    std::vector<uint32_t> pixels;
  } cursor_;
};

}  // namespace cap
