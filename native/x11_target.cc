#include "x11_target.h"

#include <xcb/composite.h>

#include "xcb_reply.h"

namespace cap {

namespace {

constexpr char kOddPixels[] = "the X server's pixels are not RGB of 15, 16, 24 or 30 bits";

}  // namespace

X11Target::~X11Target() {
  if (!redirected_ || xcb_connection_has_error(connection_)) return;
  if (pixmap_) xcb_free_pixmap(connection_, pixmap_);
  xcb_composite_unredirect_window(connection_, window_, XCB_COMPOSITE_REDIRECT_AUTOMATIC);
  xcb_flush(connection_);
}

bool X11Target::OpenScreen(xcb_connection_t* connection, const xcb_screen_t* screen, const Rect& area,
                           std::string& reason) {
  connection_ = connection;
  root_ = window_ = screen->root;
  const Rect all{0, 0, screen->width_in_pixels, screen->height_in_pixels};
  whole_screen_ = area.empty();
  size_ = whole_screen_ ? all : Rect{0, 0, area.width, area.height};
  offset_x_ = area.x;
  offset_y_ = area.y;
  if (!whole_screen_ && Intersect(area, all).area() != area.area()) {
    reason = "the region is not inside the screen";
    return false;
  }
  if (pixels_.Learn(xcb_get_setup(connection), screen, screen->root_visual, screen->root_depth)) return true;
  reason = kOddPixels;
  return false;
}

bool X11Target::OpenWindow(xcb_connection_t* connection, const xcb_screen_t* screen, xcb_window_t window,
                           std::string& reason) {
  connection_ = connection;
  root_ = screen->root;
  window_ = window;
  Freed attributes(xcb_get_window_attributes_reply(connection, xcb_get_window_attributes(connection, window), nullptr));
  Freed geometry(xcb_get_geometry_reply(connection, xcb_get_geometry(connection, window), nullptr));
  if (!attributes || !geometry) {
    reason = "there is no such window";
    return false;
  }
  if (!pixels_.Learn(xcb_get_setup(connection), screen, attributes->visual, geometry->depth)) {
    reason = kOddPixels;
    return false;
  }
  if (attributes->map_state != XCB_MAP_STATE_VIEWABLE) {
    reason = "the window is not on the screen";
    return false;
  }
  size_ = {0, 0, geometry->width, geometry->height};
  is_window_ = true;
  const auto* composite = xcb_get_extension_data(connection, &xcb_composite_id);
  if (!composite || !composite->present) return true;
  Freed version(xcb_composite_query_version_reply(connection, xcb_composite_query_version(connection, 0, 4), nullptr));
  redirected_ = static_cast<bool>(version);
  if (!redirected_) return true;
  border_ = geometry->border_width;
  xcb_composite_redirect_window(connection, window, XCB_COMPOSITE_REDIRECT_AUTOMATIC);
  if (NamePixmap()) return true;
  reason = "the window is not on the screen";
  return false;
}

bool X11Target::NamePixmap() {
  const xcb_pixmap_t fresh = xcb_generate_id(connection_);
  xcb_generic_error_t* error =
      xcb_request_check(connection_, xcb_composite_name_window_pixmap_checked(connection_, window_, fresh));
  if (error) {
    free(error);
    return false;
  }
  if (pixmap_) xcb_free_pixmap(connection_, pixmap_);
  pixmap_ = fresh;
  return true;
}

Rect X11Target::ScreenOrigin() const {
  if (!is_window_) return {offset_x_, offset_y_, size_.width, size_.height};
  Freed place(xcb_translate_coordinates_reply(connection_, xcb_translate_coordinates(connection_, window_, root_, 0, 0),
                                              nullptr));
  return place ? Rect{place->dst_x, place->dst_y, size_.width, size_.height} : Rect{};
}

bool X11Target::Resize(int width, int height) {
  if ((!is_window_ && !whole_screen_) || (width == size_.width && height == size_.height)) return false;
  size_ = {0, 0, width, height};
  if (redirected_) NamePixmap();
  return true;
}

void X11Target::Remap() {
  if (redirected_) NamePixmap();
}

}  // namespace cap
