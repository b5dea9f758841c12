// Finds what changed in a source's pictures where nobody tells: by comparing each with the one before.
#pragma once

#include <gst/video/video.h>

#include <optional>

#include "rect.h"

namespace cap {

class PictureDiff {
 public:
  PictureDiff() = default;
  ~PictureDiff() { Forget(); }
  PictureDiff(const PictureDiff&) = delete;
  PictureDiff& operator=(const PictureDiff&) = delete;

  // The next picture is compared with none.
  void Forget();

  // What differs from the picture before, in whole macroblocks; nothing when there was none. Keeps the picture.
  std::optional<Rects> Compare(GstBuffer* picture, const GstVideoInfo& info);

 private:
  GstBuffer* last_ = nullptr;
};

}  // namespace cap
