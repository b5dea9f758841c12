// The GStreamer element "capwaylandsrc": an output or a window of a Wayland compositor as I420 frames,
// captured when something changes. When it is lost it posts the message "cap-source-lost" and ends.
#pragma once

namespace cap {

void RegisterWaylandSource();

}  // namespace cap
