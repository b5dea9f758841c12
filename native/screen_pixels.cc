#include "screen_pixels.h"

#include <libyuv.h>
#include <wayland-client.h>

#include <algorithm>
#include <iterator>

namespace cap {

namespace {

// Each rectangle costs a conversion's start; some pixels in vain cost less.
constexpr size_t kMostRects = 16;

using Convert = int (*)(const uint8_t* from, int from_stride, uint8_t* to, int to_stride, int width, int height);

// Blue and red change places after a conversion that takes them for each other.
template <Convert convert>
int Swapped(const uint8_t* from, int from_stride, uint8_t* to, int to_stride, int width, int height) {
  convert(from, from_stride, to, to_stride, width, height);
  return libyuv::ABGRToARGB(to, to_stride, to, to_stride, width, height);
}

struct Format {
  uint32_t format;
  int bytes;
  Convert to_argb;  // null when it is that already
};

// Best first. wl_shm names formats by the little-endian word, as libyuv does, so ARGB is B, G, R, A in
// memory; GStreamer names them by memory. Alpha is left out: colours are premultiplied, so what shows
// through is black.
const Format kFormats[] = {
    {WL_SHM_FORMAT_XRGB8888, 4, nullptr},
    {WL_SHM_FORMAT_ARGB8888, 4, nullptr},
    {WL_SHM_FORMAT_XBGR8888, 4, libyuv::ABGRToARGB},
    {WL_SHM_FORMAT_ABGR8888, 4, libyuv::ABGRToARGB},
    {WL_SHM_FORMAT_RGBX8888, 4, libyuv::RGBAToARGB},
    {WL_SHM_FORMAT_RGBA8888, 4, libyuv::RGBAToARGB},
    {WL_SHM_FORMAT_BGRX8888, 4, libyuv::BGRAToARGB},
    {WL_SHM_FORMAT_BGRA8888, 4, libyuv::BGRAToARGB},
    {WL_SHM_FORMAT_RGB888, 3, libyuv::RGB24ToARGB},
    {WL_SHM_FORMAT_BGR888, 3, libyuv::RAWToARGB},
    {WL_SHM_FORMAT_XRGB2101010, 4, libyuv::AR30ToARGB},
    {WL_SHM_FORMAT_ARGB2101010, 4, libyuv::AR30ToARGB},
    {WL_SHM_FORMAT_XBGR2101010, 4, libyuv::AB30ToARGB},
    {WL_SHM_FORMAT_ABGR2101010, 4, libyuv::AB30ToARGB},
    {WL_SHM_FORMAT_RGB565, 2, libyuv::RGB565ToARGB},
    {WL_SHM_FORMAT_BGR565, 2, Swapped<libyuv::RGB565ToARGB>},
};

const Format* Find(uint32_t format) {
  const auto* found =
      std::find_if(std::begin(kFormats), std::end(kFormats), [&](const Format& one) { return one.format == format; });
  return found == std::end(kFormats) ? nullptr : found;
}

uint8_t* Room(std::vector<uint8_t>& memory, int width, int height) {
  const size_t size = static_cast<size_t>(width) * static_cast<size_t>(height) * 4;
  if (memory.size() < size) memory.resize(size);
  return memory.data();
}

// Brings a rectangle of a buffer the right way up; its size is the buffer's.
void Turn(const uint8_t* from, int from_stride, uint8_t* to, int width, int height, const Orientation& orientation) {
  const bool x = orientation.mirrored_x, y = orientation.mirrored_y;
  // libyuv mirrors the rows' order for a negative height.
  if (orientation.swapped) {
    const auto mode = x ? libyuv::kRotate270 : libyuv::kRotate90;
    libyuv::ARGBRotate(from, from_stride, to, height * 4, width, x == y ? -height : height, mode);
  } else if (x) {
    libyuv::ARGBMirror(from, from_stride, to, width * 4, width, y ? -height : height);
  } else {
    libyuv::ARGBCopy(from, from_stride, to, width * 4, width, y ? -height : height);
  }
}

}  // namespace

int BytesPerPixel(uint32_t format) {
  const Format* found = Find(format);
  return found ? found->bytes : 0;
}

bool IsBetterFormat(uint32_t format, uint32_t other) { return Find(format) < Find(other); }

std::string FormatName(uint32_t format) {
  if (format == WL_SHM_FORMAT_ARGB8888) return "AR24";
  if (format == WL_SHM_FORMAT_XRGB8888) return "XR24";
  std::string name;
  for (int shift = 0; shift < 32; shift += 8) name += static_cast<char>(format >> shift & 0xff);
  const bool readable =
      std::all_of(name.begin(), name.end(), [](char letter) { return letter >= ' ' && letter <= '~'; });
  return readable ? name : std::to_string(format);
}

// The transform mirrors the picture left to right (from 4 on), then turns it counter-clockwise by
// quarters. A picture's x turned once runs down to up, its y left to right.
Orientation Orientation::FromTransform(int transform) {
  const bool flipped = transform & 4;
  switch (transform & 3) {
    case WL_OUTPUT_TRANSFORM_90:
      return {true, false, !flipped};
    case WL_OUTPUT_TRANSFORM_180:
      return {false, !flipped, true};
    case WL_OUTPUT_TRANSFORM_270:
      return {true, true, flipped};
    default:
      return {false, flipped, false};
  }
}

Rect Orientation::Upright(int buffer_width, int buffer_height) const {
  return swapped ? Rect{0, 0, buffer_height, buffer_width} : Rect{0, 0, buffer_width, buffer_height};
}

Rect Orientation::ToBuffer(const Rect& upright, int buffer_width, int buffer_height) const {
  Rect rect = swapped ? Rect{upright.y, upright.x, upright.height, upright.width} : upright;
  if (mirrored_x) rect.x = buffer_width - rect.right();
  if (mirrored_y) rect.y = buffer_height - rect.bottom();
  return rect;
}

Rect Orientation::FromBuffer(const Rect& buffer_rect, int buffer_width, int buffer_height) const {
  Rect rect = buffer_rect;
  if (mirrored_x) rect.x = buffer_width - rect.right();
  if (mirrored_y) rect.y = buffer_height - rect.bottom();
  return swapped ? Rect{rect.y, rect.x, rect.height, rect.width} : rect;
}

Rects ScreenPixels::ReadChanged(const uint8_t* buffer, const PixelLayout& layout, const Orientation& orientation,
                                const Rects* damage, const Rect& area, const I420& picture) {
  const Rect whole{0, 0, area.width, area.height};
  Rects changed;
  if (!damage) {
    changed = {whole};
  } else {
    for (const Rect& damaged : *damage) {
      const Rect rect = orientation.FromBuffer(damaged, layout.width, layout.height);
      const Rect inside = Intersect({rect.x - area.x, rect.y - area.y, rect.width, rect.height}, whole);
      if (!inside.empty()) changed.push_back(inside);
    }
    changed = Simplify(std::move(changed), kMostRects);
  }
  for (const Rect& rect : changed) {
    const Rect even = EvenOut(rect, whole);
    Read(buffer, layout, orientation, {even.x + area.x, even.y + area.y, even.width, even.height}, area, picture);
  }
  return changed;
}

void ScreenPixels::Read(const uint8_t* buffer, const PixelLayout& layout, const Orientation& orientation,
                        const Rect& rect, const Rect& area, const I420& picture) {
  const Format* format = Find(layout.format);
  const Rect from = orientation.ToBuffer(rect, layout.width, layout.height);
  const uint8_t* pixels = buffer + static_cast<ptrdiff_t>(from.y) * layout.stride + from.x * format->bytes;
  int stride = layout.stride;
  // libyuv turns rows of whole pixels only.
  const Convert to_argb = format->to_argb || stride % 4 == 0 ? format->to_argb : libyuv::ARGBCopy;
  if (to_argb) {
    uint8_t* packed = Room(packed_, from.width, from.height);
    to_argb(pixels, stride, packed, from.width * 4, from.width, from.height);
    pixels = packed;
    stride = from.width * 4;
  }
  if (!(orientation == Orientation{})) {
    uint8_t* turned = Room(turned_, from.width, from.height);
    Turn(pixels, stride, turned, from.width, from.height, orientation);
    pixels = turned;
    stride = rect.width * 4;
  }
  const I420 to = picture.Crop({rect.x - area.x, rect.y - area.y, rect.width, rect.height});
  libyuv::ARGBToI420(pixels, stride, to.planes[0], to.strides[0], to.planes[1], to.strides[1], to.planes[2],
                     to.strides[2], rect.width, rect.height);
}

}  // namespace cap
