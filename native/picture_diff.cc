#include "picture_diff.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace cap {

namespace {

constexpr int kBlock = 16;
constexpr size_t kMostRects = 16;

// A plane of both pictures, and how many of its bytes and rows make a block.
struct Plane {
  const uint8_t* a;
  const uint8_t* b;
  ptrdiff_t stride_a, stride_b;
  int row_bytes, rows;
  int block_bytes, block_rows;
};

std::vector<Plane> PlanesOf(const GstVideoFrame& a, const GstVideoFrame& b) {
  std::vector<Plane> planes;
  const GstVideoFormatInfo* format = a.info.finfo;
  for (guint component = 0; component < GST_VIDEO_FORMAT_INFO_N_COMPONENTS(format); ++component) {
    const guint at = GST_VIDEO_FORMAT_INFO_PLANE(format, component);
    if (at != planes.size()) continue;  // of a plane that is there already
    const int bytes = GST_VIDEO_FORMAT_INFO_PSTRIDE(format, component);
    planes.push_back({static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&a, at)),
                      static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&b, at)),
                      GST_VIDEO_FRAME_PLANE_STRIDE(&a, at), GST_VIDEO_FRAME_PLANE_STRIDE(&b, at),
                      GST_VIDEO_FRAME_COMP_WIDTH(&a, component) * bytes, GST_VIDEO_FRAME_COMP_HEIGHT(&a, component),
                      (kBlock >> GST_VIDEO_FORMAT_INFO_W_SUB(format, component)) * bytes,
                      kBlock >> GST_VIDEO_FORMAT_INFO_H_SUB(format, component)});
  }
  return planes;
}

// Marks the blocks of a band, a row of blocks, in which the plane differs. Whether any does.
bool MarkBand(const Plane& plane, int band, std::vector<bool>& blocks) {
  bool any = false;
  const int end = std::min(plane.rows, (band + 1) * plane.block_rows);
  for (int row = band * plane.block_rows; row < end; ++row) {
    const uint8_t* a = plane.a + row * plane.stride_a;
    const uint8_t* b = plane.b + row * plane.stride_b;
    // Most rows are equal, and whole rows are quickly compared.
    if (memcmp(a, b, static_cast<size_t>(plane.row_bytes)) == 0) continue;
    any = true;
    for (size_t block = 0; block < blocks.size(); ++block) {
      const int from = static_cast<int>(block) * plane.block_bytes;
      const int bytes = std::min(plane.block_bytes, plane.row_bytes - from);
      if (bytes > 0 && !blocks[block]) blocks[block] = memcmp(a + from, b + from, static_cast<size_t>(bytes)) != 0;
    }
    if (std::find(blocks.begin(), blocks.end(), false) == blocks.end()) break;
  }
  return any;
}

// Adds the band's runs of marked blocks, each to the rectangle above when that is as wide.
void AddRuns(const std::vector<bool>& blocks, int band, Rects& rects) {
  const int count = static_cast<int>(blocks.size());
  for (int from = 0; from < count; ++from) {
    if (!blocks[static_cast<size_t>(from)]) continue;
    int to = from + 1;
    while (to < count && blocks[static_cast<size_t>(to)]) ++to;
    const Rect run{from * kBlock, band * kBlock, (to - from) * kBlock, kBlock};
    auto above = std::find_if(rects.begin(), rects.end(), [&](const Rect& rect) {
      return rect.x == run.x && rect.width == run.width && rect.bottom() == run.y;
    });
    if (above != rects.end()) {
      above->height += kBlock;
    } else {
      rects.push_back(run);
    }
    from = to;
  }
}

Rects Differences(const GstVideoFrame& a, const GstVideoFrame& b) {
  const int width = GST_VIDEO_FRAME_WIDTH(&a), height = GST_VIDEO_FRAME_HEIGHT(&a);
  const std::vector<Plane> planes = PlanesOf(a, b);
  std::vector<bool> blocks(static_cast<size_t>((width + kBlock - 1) / kBlock));
  Rects rects;
  for (int band = 0; band * kBlock < height; ++band) {
    bool any = false;
    for (const Plane& plane : planes) any = MarkBand(plane, band, blocks) || any;
    if (!any) continue;
    AddRuns(blocks, band, rects);
    std::fill(blocks.begin(), blocks.end(), false);
  }
  rects = Simplify(std::move(rects), kMostRects);
  for (Rect& rect : rects) rect = Intersect(rect, {0, 0, width, height});
  return rects;
}

}  // namespace

void PictureDiff::Forget() { gst_clear_buffer(&last_); }

std::optional<Rects> PictureDiff::Compare(GstBuffer* picture, const GstVideoInfo& info) {
  std::optional<Rects> changed;
  GstVideoFrame now, before;
  GstVideoInfo layout = info;
  if (last_ && gst_video_frame_map(&now, &layout, picture, GST_MAP_READ)) {
    if (gst_video_frame_map(&before, &layout, last_, GST_MAP_READ)) {
      changed = Differences(now, before);
      gst_video_frame_unmap(&before);
    }
    gst_video_frame_unmap(&now);
  }
  gst_buffer_replace(&last_, picture);
  return changed;
}

}  // namespace cap
