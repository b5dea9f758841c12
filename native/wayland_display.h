// What can be captured of a Wayland compositor: its monitors and windows, and by what.
#pragma once

#include <napi.h>

namespace cap {

// describeWayland(display) → {monitors: [...], windows: [...], capturesMonitors, capturesWindows};
// throws "wayland". Answers within seconds, also when the compositor does not.
Napi::Value DescribeWayland(const Napi::CallbackInfo& info);

// sizeOfWayland(display, monitor, window) → {width, height} of a monitor by its name, or a window by
// its identifier; throws "wayland-source" with the reason when that cannot be captured.
Napi::Value SizeOfWayland(const Napi::CallbackInfo& info);

}  // namespace cap
