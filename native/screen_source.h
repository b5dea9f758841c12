// What sources have in common that ask somebody else for pictures of a screen, a compositor for one: frames
// when a picture comes, keep-alive frames while none does.
#pragma once

#include <memory>
#include <string>

#include "live_source.h"
#include "screen_grabber.h"

namespace cap {

struct ScreenSource {
  LiveSource parent;
};

struct ScreenSourceClass {
  LiveSourceClass parent_class;
  // Of the subclass: the grabber, or null with a reason. Called at each start.
  std::unique_ptr<ScreenGrabber> (*open)(ScreenSource* self, std::string& reason);
  // Takes it back at each stop; null for one that can be opened anew.
  void (*close)(ScreenSource* self, std::unique_ptr<ScreenGrabber> grabber);
};

// Abstract.
GType screen_source_get_type();

}  // namespace cap
