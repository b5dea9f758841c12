#include "plane_scaler.h"

#include <libyuv.h>

namespace cap {

I420 I420::Crop(const Rect& rect) const {
  I420 part = *this;
  part.planes[0] += static_cast<ptrdiff_t>(rect.y) * strides[0] + rect.x;
  part.planes[1] += static_cast<ptrdiff_t>(rect.y / 2) * strides[1] + rect.x / 2;
  part.planes[2] += static_cast<ptrdiff_t>(rect.y / 2) * strides[2] + rect.x / 2;
  part.width = rect.width;
  part.height = rect.height;
  return part;
}

I420 ViewOf(GstVideoFrame* frame) {
  I420 view;
  for (int plane = 0; plane < 3; ++plane) {
    view.planes[plane] = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame, plane));
    view.strides[plane] = GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane);
  }
  view.width = GST_VIDEO_FRAME_WIDTH(frame);
  view.height = GST_VIDEO_FRAME_HEIGHT(frame);
  return view;
}

I420Picture::I420Picture(int width, int height) {
  const int chroma_width = (width + 1) / 2, chroma_height = (height + 1) / 2;
  // Rows start on 32 bytes for the vector code.
  const int luma_stride = (width + 31) & ~31, chroma_stride = (chroma_width + 31) & ~31;
  const size_t luma_size = static_cast<size_t>(luma_stride) * height;
  const size_t chroma_size = static_cast<size_t>(chroma_stride) * chroma_height;
  data_.resize(luma_size + 2 * chroma_size + 32);
  auto* start = reinterpret_cast<uint8_t*>((reinterpret_cast<uintptr_t>(data_.data()) + 31) & ~uintptr_t{31});
  view_ = {{start, start + luma_size, start + luma_size + chroma_size},
           {luma_stride, chroma_stride, chroma_stride},
           width,
           height};
}

void ScaleArea(const I420& from, const I420& to) {
  libyuv::I420Scale(from.planes[0], from.strides[0], from.planes[1], from.strides[1], from.planes[2], from.strides[2],
                    from.width, from.height, to.planes[0], to.strides[0], to.planes[1], to.strides[1], to.planes[2],
                    to.strides[2], to.width, to.height, libyuv::kFilterBox);
}

// GStreamer's resampler on one 8-bit plane.
struct BicubicScaler::PlaneScaler {
  GstVideoScaler* horizontal;
  GstVideoScaler* vertical;
  int to_width, to_height;
};

namespace {

GstStructure* CatmullRom() {
  return gst_structure_new("options", GST_VIDEO_RESAMPLER_OPT_CUBIC_B, G_TYPE_DOUBLE, 0.0,
                           GST_VIDEO_RESAMPLER_OPT_CUBIC_C, G_TYPE_DOUBLE, 0.5, nullptr);
}

GstVideoScaler* NewScaler(int from, int to) {
  GstStructure* options = CatmullRom();
  // Zero taps: as many as the ratio asks for, so that shrinking does not alias.
  GstVideoScaler* scaler = gst_video_scaler_new(GST_VIDEO_RESAMPLER_METHOD_CUBIC, GST_VIDEO_SCALER_FLAG_NONE, 0,
                                                static_cast<guint>(from), static_cast<guint>(to), options);
  gst_structure_free(options);
  return scaler;
}

}  // namespace

BicubicScaler::BicubicScaler(int from_width, int from_height, int to_width, int to_height)
    : luma_(nullptr, nullptr), chroma_(nullptr, nullptr) {
  auto make = [](int fw, int fh, int tw, int th) {
    return std::unique_ptr<PlaneScaler, void (*)(PlaneScaler*)>(
        new PlaneScaler{NewScaler(fw, tw), NewScaler(fh, th), tw, th}, [](PlaneScaler* scaler) {
          gst_video_scaler_free(scaler->horizontal);
          gst_video_scaler_free(scaler->vertical);
          delete scaler;
        });
  };
  luma_ = make(from_width, from_height, to_width, to_height);
  chroma_ = make((from_width + 1) / 2, (from_height + 1) / 2, to_width / 2, to_height / 2);
}

void BicubicScaler::Scale(const I420& from, const I420& to) {
  for (int plane = 0; plane < 3; ++plane) {
    PlaneScaler& scaler = plane == 0 ? *luma_ : *chroma_;
    gst_video_scaler_2d(scaler.horizontal, scaler.vertical, GST_VIDEO_FORMAT_GRAY8, from.planes[plane],
                        from.strides[plane], to.planes[plane], to.strides[plane], 0, 0,
                        static_cast<guint>(scaler.to_width), static_cast<guint>(scaler.to_height));
  }
}

}  // namespace cap
