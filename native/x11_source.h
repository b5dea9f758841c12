// The GStreamer element "capx11src": an X11 screen as I420 frames, captured when something changes.
#pragma once

namespace cap {

void RegisterX11Source();

}  // namespace cap
