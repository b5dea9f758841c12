#include "rgb_picture.h"

#include <gst/video/video.h>

#include <cstring>

namespace cap {

std::optional<RgbPicture> ToRgb(GstSample* sample) {
  GstVideoInfo from, to;
  if (!gst_video_info_from_caps(&from, gst_sample_get_caps(sample))) return std::nullopt;
  GstVideoFrame in;
  if (!gst_video_frame_map(&in, &from, gst_sample_get_buffer(sample), GST_MAP_READ)) return std::nullopt;
  gst_video_info_set_format(&to, GST_VIDEO_FORMAT_RGB, static_cast<guint>(from.width), static_cast<guint>(from.height));
  to.fps_n = from.fps_n;  // the converter insists that rates are alike
  to.fps_d = from.fps_d;
  RgbPicture picture;
  picture.width = from.width;
  picture.height = from.height;
  const size_t stride = static_cast<size_t>(GST_VIDEO_INFO_PLANE_STRIDE(&to, 0));
  std::unique_ptr<uint8_t[]> padded(new uint8_t[GST_VIDEO_INFO_SIZE(&to)]);
  GstBuffer* wrapped =
      gst_buffer_new_wrapped_full(static_cast<GstMemoryFlags>(0), padded.get(), GST_VIDEO_INFO_SIZE(&to), 0,
                                  GST_VIDEO_INFO_SIZE(&to), nullptr, nullptr);
  GstVideoFrame out;
  bool converted = false;
  if (gst_video_frame_map(&out, &to, wrapped, GST_MAP_WRITE)) {
    if (GstVideoConverter* converter = gst_video_converter_new(&from, &to, nullptr)) {
      gst_video_converter_frame(converter, &in, &out);
      gst_video_converter_free(converter);
      converted = true;
    }
    gst_video_frame_unmap(&out);
  }
  gst_buffer_unref(wrapped);
  gst_video_frame_unmap(&in);
  if (!converted) return std::nullopt;
  // GStreamer pads rows to four bytes; consumers get packed rows.
  const size_t row = static_cast<size_t>(picture.width) * 3;
  if (row != stride) {
    for (int y = 1; y < picture.height; ++y) memmove(&padded[y * row], &padded[y * stride], row);
  }
  picture.rgb = std::move(padded);
  picture.size = row * static_cast<size_t>(picture.height);
  return picture;
}

Napi::Object ToObject(Napi::Env env, RgbPicture& picture) {
  Napi::Object object = Napi::Object::New(env);
  uint8_t* data = picture.rgb.release();
  object.Set("data",
             Napi::Buffer<uint8_t>::New(env, data, picture.size, [](Napi::Env, uint8_t* bytes) { delete[] bytes; }));
  object.Set("width", picture.width);
  object.Set("height", picture.height);
  return object;
}

}  // namespace cap
