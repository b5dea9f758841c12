// Makes one buffer of each list that reaches an element.
#pragma once

#include <gst/gst.h>

namespace cap {

// For srtsink 1.22: it sends each buffer of a list, one of mpegtsmux's packets of 188 bytes, as a packet of its own
// where seven have room, and drops those with the flag HEADER, which mpegtsmux puts on whole key frames.
void JoinLists(GstElement* element);

}  // namespace cap
