// What can be captured on an X11 display: its size, monitors and windows.
#pragma once

#include <napi.h>

namespace cap {

// Xlib's default handlers end the process when a window is gone or the server dies. Installs
// ones that don't, for every connection of the process, GStreamer's included.
void SurviveX11Errors();

// describeDisplay(name) → {width, height, monitors: [...], windows: [...]}; throws "display".
Napi::Value DescribeDisplay(const Napi::CallbackInfo& info);

// whyNoDamage(name, windowId or 0): null when that can be captured by damage, else the reason.
Napi::Value WhyNoDamage(const Napi::CallbackInfo& info);

}  // namespace cap
