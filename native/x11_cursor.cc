#include "x11_cursor.h"

#include <xcb/xfixes.h>
#include <xcb/xinput.h>

#include <cstddef>

#include "xcb_reply.h"

namespace cap {

void X11Cursor::Select(xcb_connection_t* connection, xcb_window_t root) {
  connection_ = connection;
  root_ = root;
  fixes_event_ = xcb_get_extension_data(connection, &xcb_xfixes_id)->first_event;
  xcb_xfixes_select_cursor_input(connection, root, XCB_XFIXES_CURSOR_NOTIFY_MASK_DISPLAY_CURSOR);
  const auto* input = xcb_get_extension_data(connection, &xcb_input_id);
  if (!input || !input->present) return;
  Freed version(xcb_input_xi_query_version_reply(connection, xcb_input_xi_query_version(connection, 2, 2), nullptr));
  if (!version) return;
  input_opcode_ = input->major_opcode;
  struct {
    xcb_input_event_mask_t head{XCB_INPUT_DEVICE_ALL_MASTER, 1};
    uint32_t mask = XCB_INPUT_XI_EVENT_MASK_RAW_MOTION;
  } motion;
  xcb_input_xi_select_events(connection, root, 1, &motion.head);
}

bool X11Cursor::Takes(const xcb_generic_event_t* event) {
  if (!connection_) return false;
  const uint8_t type = event->response_type & 0x7f;
  const bool image = type == fixes_event_ + XCB_XFIXES_CURSOR_NOTIFY;
  const bool motion = type == XCB_GE_GENERIC && input_opcode_ &&
                      reinterpret_cast<const xcb_ge_generic_event_t*>(event)->extension == input_opcode_;
  if (image || motion) moved_ = true;
  return image || motion;
}

bool X11Cursor::Moved() {
  if (!connection_) return false;
  Freed pointer(xcb_query_pointer_reply(connection_, xcb_query_pointer(connection_, root_), nullptr));
  if (pointer && (pointer->root_x != pointer_x_ || pointer->root_y != pointer_y_)) moved_ = true;
  return moved_;
}

void X11Cursor::Update(const Rect& origin, Rects& touched) {
  if (!connection_ || !moved_) return;
  moved_ = false;
  Freed image(xcb_xfixes_get_cursor_image_reply(connection_, xcb_xfixes_get_cursor_image(connection_), nullptr));
  if (!image) return;
  pointer_x_ = image->x;
  pointer_y_ = image->y;
  const Rect now{image->x - image->xhot - origin.x, image->y - image->yhot - origin.y, image->width, image->height};
  const uint32_t* pixels = xcb_xfixes_get_cursor_image_cursor_image(image.value);
  std::vector<uint32_t> fresh(pixels, pixels + xcb_xfixes_get_cursor_image_cursor_image_length(image.value));
  const bool same = now.x == rect_.x && now.y == rect_.y && now.width == rect_.width && now.height == rect_.height &&
                    fresh == pixels_;
  if (same) return;
  const Rect picture{0, 0, origin.width, origin.height};
  for (const Rect& rect : {Intersect(rect_, picture), Intersect(now, picture)}) {
    if (!rect.empty()) touched.push_back(rect);
  }
  rect_ = now;
  pixels_ = std::move(fresh);
}

// The cursor's colours are premultiplied by its opacity.
void X11Cursor::Draw(uint8_t* pixels, const Rect& rect) const {
  const Rect both = Intersect(rect, rect_);
  for (int y = both.y; y < both.bottom(); ++y) {
    const size_t row = static_cast<size_t>(y - rect_.y) * static_cast<size_t>(rect_.width);
    const uint32_t* from = &pixels_[row + static_cast<size_t>(both.x - rect_.x)];
    uint8_t* to = pixels + (static_cast<ptrdiff_t>(y - rect.y) * rect.width + (both.x - rect.x)) * 4;
    for (int x = 0; x < both.width; ++x, to += 4) {
      const uint32_t keep = 255 - (from[x] >> 24);
      for (int channel = 0; channel < 3; ++channel) {
        const uint32_t over = (from[x] >> (8 * channel)) & 0xff;
        to[channel] = static_cast<uint8_t>(std::min(255u, over + (to[channel] * keep + 127) / 255));
      }
    }
  }
}

}  // namespace cap
