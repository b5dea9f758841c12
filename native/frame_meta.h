// What a frame carries from its capture to the access unit made of it, and again from an
// access unit to the picture decoded from it. It rides on the GstBuffer, and elements that
// convert, encode or decode hand it on, because its API type has no tags.
#pragma once

#include <gst/gst.h>

namespace cap {

struct FrameMeta {
  GstMeta meta;
  guint64 frame_number;
  guint64 monotonic_ns;
  guint64 wall_us;
  guint32 width;  // of the source
  guint32 height;
  GBytes* sei_payload;  // on received frames: the bytes after the UUID; else null
};

// The buffer's meta, added when it has none: a source that recycles its buffers leaves the old one on.
FrameMeta* EnsureFrameMeta(GstBuffer* buffer);
const FrameMeta* GetFrameMeta(GstBuffer* buffer);

}  // namespace cap
