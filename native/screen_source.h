// What sources of a screen's pictures have in common: frames when something changes, keep-alive frames
// while nothing does.
#pragma once

#include <gst/base/gstpushsrc.h>

#include <memory>
#include <string>

#include "screen_grabber.h"

namespace cap {

struct ScreenSource {
  GstPushSrc parent;
  struct ScreenSourceState* state;
};

struct ScreenSourceClass {
  GstPushSrcClass parent_class;
  // Of the subclass: the grabber, or null with a reason. Called at each start.
  std::unique_ptr<ScreenGrabber> (*open)(ScreenSource* self, std::string& reason);
};

// Abstract. Its property "keep-alive" is the most milliseconds between two frames.
GType screen_source_get_type();

}  // namespace cap
