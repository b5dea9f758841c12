// Pixels as an X server stores them.
#pragma once

#include <xcb/xcb.h>

#include <cstdint>

namespace cap {

class X11Pixels {
 public:
  // Learns how pixels of that visual lie in memory. False when they cannot be read here.
  bool Learn(const xcb_setup_t* setup, const xcb_screen_t* screen, xcb_visualid_t visual, uint8_t depth);

  // Bytes from one row of an image to the next.
  int stride(int width) const { return (width * bits_ + pad_ - 1) / pad_ * pad_ / 8; }

  // Whether they are 32 bits of B, G, R, unused in memory: what libyuv calls ARGB.
  bool plain() const { return convert_ == nullptr; }

  // Makes that of them; rows of `to` lie one after the other.
  void ToArgb(const uint8_t* from, int width, int height, uint8_t* to) const;

 private:
  int (*convert_)(const uint8_t*, int, uint8_t*, int, int, int) = nullptr;
  int bits_ = 32, pad_ = 32;
};

}  // namespace cap
