// The cameras that GStreamer knows of.
#pragma once

#include <napi.h>

namespace cap {

// listDevices(onEvent): one event "device" (class, name, path) each, then "done". Returns at once; a device
// provider that hangs keeps its own thread and nobody else.
void ListDevices(const Napi::CallbackInfo& info);

}  // namespace cap
