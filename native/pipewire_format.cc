#include "pipewire_format.h"

#include <spa/buffer/buffer.h>
#include <spa/buffer/meta.h>
#include <spa/param/buffers.h>
#include <spa/param/param.h>
#include <spa/param/video/format-utils.h>
#include <spa/pod/builder.h>
#include <wayland-client.h>

#include <initializer_list>

namespace cap {

namespace {

constexpr size_t kPodBytes = 1024;
constexpr uint32_t kMostPixels = 16384;  // along a side
constexpr int kMostRegions = 16;
// What DRM calls DRM_FORMAT_MOD_LINEAR: rows one after the other. All else only a GPU could read.
constexpr int64_t kLinear = 0;

// SPA names formats by memory, wl_shm by the little-endian word.
struct Pair {
  spa_video_format spa;
  uint32_t shm;
};
const Pair kPairs[] = {
    {SPA_VIDEO_FORMAT_BGRx, WL_SHM_FORMAT_XRGB8888},
    {SPA_VIDEO_FORMAT_BGRA, WL_SHM_FORMAT_ARGB8888},
    {SPA_VIDEO_FORMAT_RGBx, WL_SHM_FORMAT_XBGR8888},
    {SPA_VIDEO_FORMAT_RGBA, WL_SHM_FORMAT_ABGR8888},
    {SPA_VIDEO_FORMAT_xBGR, WL_SHM_FORMAT_RGBX8888},
    {SPA_VIDEO_FORMAT_ABGR, WL_SHM_FORMAT_RGBA8888},
    {SPA_VIDEO_FORMAT_xRGB, WL_SHM_FORMAT_BGRX8888},
    {SPA_VIDEO_FORMAT_ARGB, WL_SHM_FORMAT_BGRA8888},
    {SPA_VIDEO_FORMAT_BGR, WL_SHM_FORMAT_RGB888},
    {SPA_VIDEO_FORMAT_RGB, WL_SHM_FORMAT_BGR888},
    {SPA_VIDEO_FORMAT_xRGB_210LE, WL_SHM_FORMAT_XRGB2101010},
    {SPA_VIDEO_FORMAT_ARGB_210LE, WL_SHM_FORMAT_ARGB2101010},
    {SPA_VIDEO_FORMAT_xBGR_210LE, WL_SHM_FORMAT_XBGR2101010},
    {SPA_VIDEO_FORMAT_ABGR_210LE, WL_SHM_FORMAT_ABGR2101010},
    {SPA_VIDEO_FORMAT_RGB16, WL_SHM_FORMAT_RGB565},
    {SPA_VIDEO_FORMAT_BGR16, WL_SHM_FORMAT_BGR565},
};

spa_pod* BuildFormat(spa_pod_builder* builder, uint32_t max_fps, bool dmabuf) {
  spa_pod_frame object, choice;
  spa_pod_builder_push_object(builder, &object, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat);
  spa_pod_builder_add(builder, SPA_FORMAT_mediaType, SPA_POD_Id(SPA_MEDIA_TYPE_video), SPA_FORMAT_mediaSubtype,
                      SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw), 0);
  spa_pod_builder_prop(builder, SPA_FORMAT_VIDEO_format, 0);
  spa_pod_builder_push_choice(builder, &choice, SPA_CHOICE_Enum, 0);
  spa_pod_builder_id(builder, kPairs[0].spa);  // the one preferred comes first, and again among all
  for (const Pair& pair : kPairs) spa_pod_builder_id(builder, pair.spa);
  spa_pod_builder_pop(builder, &choice);
  if (dmabuf) {
    spa_pod_builder_prop(builder, SPA_FORMAT_VIDEO_modifier, SPA_POD_PROP_FLAG_MANDATORY);
    spa_pod_builder_long(builder, kLinear);
  }
  const spa_rectangle usual{1920, 1080}, least{1, 1}, most{kMostPixels, kMostPixels};
  const spa_fraction any{0, 1}, fastest{1000, 1}, wanted{max_fps, 1};
  spa_pod_builder_add(builder, SPA_FORMAT_VIDEO_size, SPA_POD_CHOICE_RANGE_Rectangle(&usual, &least, &most),
                      SPA_FORMAT_VIDEO_framerate, SPA_POD_CHOICE_RANGE_Fraction(&any, &any, &fastest), 0);
  if (max_fps > 0) {
    spa_pod_builder_add(builder, SPA_FORMAT_VIDEO_maxFramerate, SPA_POD_CHOICE_RANGE_Fraction(&wanted, &any, &wanted),
                        0);
  }
  return static_cast<spa_pod*>(spa_pod_builder_pop(builder, &object));
}

spa_pod* BuildMeta(spa_pod_builder* builder, spa_meta_type type, size_t bytes) {
  return static_cast<spa_pod*>(spa_pod_builder_add_object(builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta,
                                                          SPA_PARAM_META_type, SPA_POD_Id(type), SPA_PARAM_META_size,
                                                          SPA_POD_Int(static_cast<int>(bytes))));
}

}  // namespace

template <typename Build>
void PipewireParams::Add(Build build) {
  memory_.push_back(std::make_unique<uint8_t[]>(kPodBytes));
  spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory_.back().get(), kPodBytes);
  pods_.push_back(build(&builder));
}

PipewireParams PipewireParams::Formats(int max_fps, bool dmabuf) {
  PipewireParams params;
  // A producer whose highest rate is fixed, and higher, is taken in the second place.
  for (const uint32_t fps : {static_cast<uint32_t>(max_fps), 0u}) {
    if (dmabuf) params.Add([&](spa_pod_builder* builder) { return BuildFormat(builder, fps, true); });
    params.Add([&](spa_pod_builder* builder) { return BuildFormat(builder, fps, false); });
  }
  return params;
}

PipewireParams PipewireParams::Buffers(bool dmabuf) {
  const int types = dmabuf ? 1 << SPA_DATA_DmaBuf : 1 << SPA_DATA_MemFd | 1 << SPA_DATA_MemPtr;
  PipewireParams params;
  params.Add([&](spa_pod_builder* builder) {
    return static_cast<spa_pod*>(spa_pod_builder_add_object(
        builder, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_buffers,
        SPA_POD_CHOICE_RANGE_Int(4, 2, 16), SPA_PARAM_BUFFERS_dataType, SPA_POD_CHOICE_FLAGS_Int(types)));
  });
  auto meta = [&](spa_meta_type type, size_t bytes) {
    params.Add([&](spa_pod_builder* builder) { return BuildMeta(builder, type, bytes); });
  };
  meta(SPA_META_Header, sizeof(spa_meta_header));
  meta(SPA_META_VideoCrop, sizeof(spa_meta_region));
  meta(SPA_META_VideoTransform, sizeof(spa_meta_videotransform));
  params.Add([&](spa_pod_builder* builder) {
    const int one = sizeof(spa_meta_region);
    return static_cast<spa_pod*>(spa_pod_builder_add_object(
        builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta, SPA_PARAM_META_type, SPA_POD_Id(SPA_META_VideoDamage),
        SPA_PARAM_META_size, SPA_POD_CHOICE_RANGE_Int(one * kMostRegions, one, one * kMostRegions)));
  });
  return params;
}

std::optional<PipewireFormat> PipewireFormat::Parse(const spa_pod* pod) {
  uint32_t type, subtype;
  spa_video_info_raw info{};
  if (spa_format_parse(pod, &type, &subtype) < 0 || type != SPA_MEDIA_TYPE_video || subtype != SPA_MEDIA_SUBTYPE_raw ||
      spa_format_video_raw_parse(pod, &info) < 0) {
    return std::nullopt;
  }
  if (info.size.width < 1 || info.size.height < 1 || info.size.width > kMostPixels || info.size.height > kMostPixels) {
    return std::nullopt;
  }
  for (const Pair& pair : kPairs) {
    if (pair.spa != info.format) continue;
    const PixelLayout layout{static_cast<int>(info.size.width), static_cast<int>(info.size.height), 0, pair.shm};
    return PipewireFormat{layout, spa_pod_find_prop(pod, nullptr, SPA_FORMAT_VIDEO_modifier) != nullptr};
  }
  return std::nullopt;
}

}  // namespace cap
