// What of an X11 display is read: a rectangle of the screen, or a window wherever it is.
#pragma once

#include <xcb/xcb.h>

#include <string>

#include "rect.h"
#include "x11_pixels.h"

namespace cap {

// A window is redirected by XComposite where there is that, so that it is read whole even where others cover it.
class X11Target {
 public:
  X11Target() = default;
  ~X11Target();
  X11Target(const X11Target&) = delete;
  X11Target& operator=(const X11Target&) = delete;

  // `area` is empty for the whole screen. False, with a reason, when it cannot be read.
  bool OpenScreen(xcb_connection_t* connection, const xcb_screen_t* screen, const Rect& area, std::string& reason);
  bool OpenWindow(xcb_connection_t* connection, const xcb_screen_t* screen, xcb_window_t window, std::string& reason);

  // Where XDamage is asked, and whose resizes are news.
  xcb_window_t window() const { return window_; }
  // What is read: the screen's root, or the window's pixmap.
  xcb_drawable_t drawable() const { return pixmap_ ? pixmap_ : window_; }

  const X11Pixels& pixels() const { return pixels_; }
  // Whether what lies over it is in the picture.
  bool can_be_covered() const { return is_window_ && !redirected_; }

  int width() const { return size_.width; }
  int height() const { return size_.height; }

  // The picture's origin in damage events, in the drawable, and on the screen (a request to the server).
  Rect InDamage(const Rect& rect) const { return {rect.x - offset_x_, rect.y - offset_y_, rect.width, rect.height}; }
  int read_x(int x) const { return x + offset_x_ + border_; }
  int read_y(int y) const { return y + offset_y_ + border_; }
  Rect ScreenOrigin() const;

  // Takes the window's or screen's new size; true when the picture changes by it.
  bool Resize(int width, int height);

  // The window was shown again: its old pixmap is no longer drawn to.
  void Remap();

 private:
  bool NamePixmap();

  xcb_connection_t* connection_ = nullptr;
  xcb_window_t root_ = 0, window_ = 0;
  xcb_pixmap_t pixmap_ = 0;
  X11Pixels pixels_;
  bool is_window_ = false, redirected_ = false, whole_screen_ = false;
  Rect size_;
  int offset_x_ = 0, offset_y_ = 0, border_ = 0;
};

}  // namespace cap
