// What can be captured on an X11 display: its size, monitors and windows.
#pragma once

#include <X11/Xlib.h>
#include <napi.h>

#include <string>

namespace cap {

// Xlib's default handler ends the process when a window is gone. Installs one that doesn't, for every
// connection of the process, GStreamer's included.
void SurviveX11Errors();

// Opens a display whose server may die: libX11 1.8 ends the process then, unless the connection has an
// exit handler of its own from the beginning. Null when it cannot be opened; `name` may be empty.
Display* OpenDisplay(const std::string& name);

// describeDisplay(name) → {width, height, monitors: [...], windows: [...]}; throws "display".
Napi::Value DescribeDisplay(const Napi::CallbackInfo& info);

// describeWindow(name, id): one of those windows, or any other that is shown; null when there is none.
Napi::Value DescribeWindow(const Napi::CallbackInfo& info);

// describeCapture(name, windowId or 0) → {tellsDamage, lacks: what the server lacks for it, for people, or ""};
// throws "x11-source" when it cannot be captured at all.
Napi::Value DescribeCapture(const Napi::CallbackInfo& info);

}  // namespace cap
