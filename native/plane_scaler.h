// I420 pictures and their scaling from one rectangle into another.
#pragma once

#include <gst/video/video.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "rect.h"

namespace cap {

// A view on an I420 picture that somebody else owns.
struct I420 {
  uint8_t* planes[3] = {};
  int strides[3] = {};
  int width = 0, height = 0;

  // The part under `rect`, whose origin must be even.
  I420 Crop(const Rect& rect) const;
};

// Of a mapped frame of that format.
I420 ViewOf(GstVideoFrame* frame);

// An I420 picture with memory of its own.
class I420Picture {
 public:
  I420Picture(int width, int height);
  const I420& view() const { return view_; }

 private:
  std::vector<uint8_t> data_;
  I420 view_;
};

// Scales `from` to the size of `to`: averaging areas when shrinking (libyuv).
void ScaleArea(const I420& from, const I420& to);

// Bicubic scaling (Catmull-Rom, as Pillow's BICUBIC), planes apart. Prepared once for a pair of sizes.
class BicubicScaler {
 public:
  BicubicScaler(int from_width, int from_height, int to_width, int to_height);
  void Scale(const I420& from, const I420& to);

 private:
  struct PlaneScaler;
  std::unique_ptr<PlaneScaler, void (*)(PlaneScaler*)> luma_;
  std::unique_ptr<PlaneScaler, void (*)(PlaneScaler*)> chroma_;
};

}  // namespace cap
