#include "pixels.h"

#include <stdlib.h>
#include <wayland-client-protocol.h>

int bytes_per_pixel(uint32_t format) {
  switch (format) {
    case WL_SHM_FORMAT_RGB565:
    case WL_SHM_FORMAT_BGR565:
      return 2;
    case WL_SHM_FORMAT_RGB888:
    case WL_SHM_FORMAT_BGR888:
      return 3;
    default:
      return 4;
  }
}

static uint32_t ten_bits(uint32_t eight) { return eight << 2 | eight >> 6; }

uint32_t encode_pixel(uint32_t format, uint32_t colour) {
  const uint32_t r = colour >> 16, g = colour >> 8 & 0xff, b = colour & 0xff;
  switch (format) {
    case WL_SHM_FORMAT_XRGB8888:
    case WL_SHM_FORMAT_ARGB8888:
      return 0xffu << 24 | r << 16 | g << 8 | b;
    case WL_SHM_FORMAT_XBGR8888:
    case WL_SHM_FORMAT_ABGR8888:
      return 0xffu << 24 | b << 16 | g << 8 | r;
    case WL_SHM_FORMAT_RGBX8888:
    case WL_SHM_FORMAT_RGBA8888:
      return r << 24 | g << 16 | b << 8 | 0xff;
    case WL_SHM_FORMAT_BGRX8888:
    case WL_SHM_FORMAT_BGRA8888:
      return b << 24 | g << 16 | r << 8 | 0xff;
    case WL_SHM_FORMAT_RGB888:
      return r << 16 | g << 8 | b;
    case WL_SHM_FORMAT_BGR888:
      return b << 16 | g << 8 | r;
    case WL_SHM_FORMAT_XRGB2101010:
    case WL_SHM_FORMAT_ARGB2101010:
      return 3u << 30 | ten_bits(r) << 20 | ten_bits(g) << 10 | ten_bits(b);
    case WL_SHM_FORMAT_XBGR2101010:
    case WL_SHM_FORMAT_ABGR2101010:
      return 3u << 30 | ten_bits(b) << 20 | ten_bits(g) << 10 | ten_bits(r);
    case WL_SHM_FORMAT_RGB565:
      return r >> 3 << 11 | g >> 2 << 5 | b >> 3;
    case WL_SHM_FORMAT_BGR565:
      return b >> 3 << 11 | g >> 2 << 5 | r >> 3;
    default:
      abort();
  }
}

uint32_t noise_pixel(uint32_t x, uint32_t y, uint32_t seed) {
  uint32_t hash = x * 0x9e3779b1u ^ y * 0x85ebca6bu ^ seed * 0xc2b2ae35u;
  hash = (hash ^ hash >> 15) * 0x2c1b3c6du;
  return (hash ^ hash >> 12) & 0xffffff;
}

// Mirrored, then turned by quarters.
void place_pixel(int width, int height, int transform, int *x, int *y) {
  if (transform & 4) *x = width - 1 - *x;
  for (int turns = transform & 3; turns > 0; --turns) {
    const int old_x = *x;
    *x = *y;
    *y = width - 1 - old_x;
    const int old_width = width;
    width = height;
    height = old_width;
  }
}
