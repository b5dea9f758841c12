// What a frame carries from its capture to the access unit made of it, and again from an
// access unit to the picture decoded from it. It rides on the GstBuffer, and elements that
// convert, encode or decode hand it on, because its API type has no tags.
#pragma once

#include <gst/gst.h>

#include "rect.h"

namespace cap {

struct FrameMeta {
  GstMeta meta;
  guint64 frame_number;
  guint64 monotonic_ns;
  guint64 wall_us;
  guint32 width;  // of the source
  guint32 height;
  // What changed since the frame before: in the source, and in the picture that is encoded. Null: unknown.
  Rects* damage;
  Rects* canvas_damage;
  GBytes* sei_payload;  // on received frames: the bytes after the UUID; else null
};

// The buffer's meta, added when it has none: a source that recycles its buffers leaves the old one on.
FrameMeta* EnsureFrameMeta(GstBuffer* buffer);
const FrameMeta* GetFrameMeta(GstBuffer* buffer);

// Replaces one of the meta's lists.
void SetRects(Rects*& list, Rects rects);

}  // namespace cap
