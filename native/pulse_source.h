// The GStreamer element `cappulsesrc`: 48 kHz stereo from a device of the sound server, without a gap, timed by when
// it was heard.
#pragma once

namespace cap {

void RegisterPulseSource();

}  // namespace cap
