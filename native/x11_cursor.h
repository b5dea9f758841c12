// The X11 cursor: its image and place by XFixes, blended into what is read of the screen.
#pragma once

#include <xcb/xcb.h>

#include <cstdint>
#include <vector>

#include "rect.h"

namespace cap {

class X11Cursor {
 public:
  // Asks for events of other images, and of the pointer's motion where XInput 2 is there.
  void Select(xcb_connection_t* connection, xcb_window_t root);

  // Whether the event tells of the cursor.
  bool Takes(const xcb_generic_event_t* event);

  // Asks where the pointer is: programs that put it somewhere cause no event. True when it has moved.
  bool Moved();

  void MarkMoved() { moved_ = true; }
  bool Pending() const { return connection_ && moved_; }

  // Fetches image and place if they may have changed, for a picture whose origin on the screen is
  // `origin`. Adds what the change touches, in the picture's coordinates, to `touched`.
  void Update(const Rect& origin, Rects& touched);

  // Blends the cursor into 32-bit pixels of a rectangle of the picture.
  void Draw(uint8_t* pixels, const Rect& rect) const;

 private:
  xcb_connection_t* connection_ = nullptr;
  xcb_window_t root_ = 0;
  uint8_t fixes_event_ = 0, input_opcode_ = 0;
  bool moved_ = true;
  int pointer_x_ = -1, pointer_y_ = -1;
  Rect rect_;  // what the image covers, in the picture's coordinates
  std::vector<uint32_t> pixels_;
};

}  // namespace cap
