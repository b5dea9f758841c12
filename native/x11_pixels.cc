#include "x11_pixels.h"

#include <libyuv.h>

namespace cap {

namespace {

const xcb_format_t* FormatOf(const xcb_setup_t* setup, uint8_t depth) {
  for (auto it = xcb_setup_pixmap_formats_iterator(setup); it.rem; xcb_format_next(&it)) {
    if (it.data->depth == depth) return it.data;
  }
  return nullptr;
}

const xcb_visualtype_t* VisualOf(const xcb_screen_t* screen, xcb_visualid_t visual) {
  for (auto depths = xcb_screen_allowed_depths_iterator(screen); depths.rem; xcb_depth_next(&depths)) {
    for (auto it = xcb_depth_visuals_iterator(depths.data); it.rem; xcb_visualtype_next(&it)) {
      if (it.data->visual_id == visual) return it.data;
    }
  }
  return nullptr;
}

}  // namespace

bool X11Pixels::Learn(const xcb_setup_t* setup, const xcb_screen_t* screen, xcb_visualid_t visual, uint8_t depth) {
  const xcb_format_t* format = FormatOf(setup, depth);
  const xcb_visualtype_t* type = VisualOf(screen, visual);
  if (!format || !type || setup->image_byte_order != XCB_IMAGE_ORDER_LSB_FIRST) return false;
  bits_ = format->bits_per_pixel;
  pad_ = format->scanline_pad;
  const uint32_t red = type->red_mask;
  if (bits_ == 32 && red == 0xff0000) return true;
  if (bits_ == 32 && red == 0x3ff00000) convert_ = libyuv::AR30ToARGB;
  if (bits_ == 24 && red == 0xff0000) convert_ = libyuv::RGB24ToARGB;
  if (bits_ == 16 && red == 0xf800) convert_ = libyuv::RGB565ToARGB;
  if (bits_ == 16 && red == 0x7c00) convert_ = libyuv::ARGB1555ToARGB;
  return convert_ != nullptr;
}

void X11Pixels::ToArgb(const uint8_t* from, int width, int height, uint8_t* to) const {
  (convert_ ? convert_ : libyuv::ARGBCopy)(from, stride(width), to, width * 4, width, height);
}

}  // namespace cap
