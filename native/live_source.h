// The base of our screen sources, elements that push I420 frames when something changes: their caps,
// time stamps, flushing, the request for a frame at once.
#pragma once

#include <gst/base/gstpushsrc.h>

#include "live_capture.h"

namespace cap {

// A subclass sets `capture` in its instance's init and the element's metadata in its class's. What is
// lost for good is posted as the message "cap-source-lost", and the stream ends.
struct LiveSource {
  GstPushSrc parent;
  LiveCapture* capture;  // owned
  uint64_t least_pts;    // of the next frame
};

struct LiveSourceClass {
  GstPushSrcClass parent_class;
};

// Abstract. Its property "keep-alive" is the most milliseconds between two frames, "max-fps" the most frames a second.
GType live_source_get_type();

}  // namespace cap
