// The GStreamer element "capx264enc": libx264 called directly, because GStreamer's x264enc has no
// way to say which macroblocks did not change. Takes that from the frames' FrameMeta.
#pragma once

namespace cap {

void RegisterX264Element();

}  // namespace cap
