// The GStreamer element "capframelimit": leaves frames out so that at most "max-fps" come, which may change at any
// time.
#pragma once

namespace cap {

void RegisterFrameLimitElement();

}  // namespace cap
