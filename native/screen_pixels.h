// What a compositor's buffer holds: packed pixels of some format, turned or mirrored, read as I420. Formats
// go by their numbers in wl_shm, also where they come by another way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "plane_scaler.h"
#include "rect.h"

namespace cap {

// Bytes of a pixel of that wl_shm format, or 0 for a format that cannot be read.
int BytesPerPixel(uint32_t format);

// Of two formats that can be read, whether `format` brings the picture with less work or loss than `other`.
bool IsBetterFormat(uint32_t format, uint32_t other);

// A wl_shm format for people: its four letters or its number.
std::string FormatName(uint32_t format);

// How pixels lie in a buffer.
struct PixelLayout {
  int width = 0, height = 0, stride = 0;
  uint32_t format = 0;  // enum wl_shm.format
  bool operator==(const PixelLayout& other) const {
    return width == other.width && height == other.height && stride == other.stride && format == other.format;
  }
};

// How a picture that is the right way up lies in a buffer.
struct Orientation {
  bool swapped = false;                         // its columns are the buffer's rows
  bool mirrored_x = false, mirrored_y = false;  // the buffer's x or y runs backwards

  // Of enum wl_output.transform, applied to the picture.
  static Orientation FromTransform(int transform);
  bool operator==(const Orientation& other) const {
    return swapped == other.swapped && mirrored_x == other.mirrored_x && mirrored_y == other.mirrored_y;
  }

  // The upright picture's size for a buffer of that size.
  Rect Upright(int buffer_width, int buffer_height) const;
  // A rectangle of the upright picture in a buffer of that size, and back.
  Rect ToBuffer(const Rect& upright, int buffer_width, int buffer_height) const;
  Rect FromBuffer(const Rect& rect, int buffer_width, int buffer_height) const;
};

// Converts rectangles of buffers, with memory of its own for the steps between.
class ScreenPixels {
 public:
  // Reads what changed of the upright picture's `area` into `picture`, which is of that size: by `damage`, in the
  // buffer, or all of it when that is null. Returns what was read, in the picture's coordinates.
  Rects ReadChanged(const uint8_t* buffer, const PixelLayout& layout, const Orientation& orientation,
                    const Rects* damage, const Rect& area, const I420& picture);

 private:
  // Reads `rect` of the upright picture, whose origin is `area`'s in `picture`, into `picture`. The
  // rectangle's corners must be even in `picture`, but for its right and bottom edge.
  void Read(const uint8_t* buffer, const PixelLayout& layout, const Orientation& orientation, const Rect& rect,
            const Rect& area, const I420& picture);

  std::vector<uint8_t> packed_, turned_;
};

}  // namespace cap
