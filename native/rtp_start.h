// Where a reader's H.264 begins.
#pragma once

#include <gst/gst.h>

namespace cap {

// Drops RTP packets that come to the depayloader's sink pad until an access unit begins. A reader may be let in
// between two packets of a picture, and a picture without its first packets still decodes, when only parameter sets
// and SEI are missing: but what the SEI says, of what and when the picture is, would be lost.
void DropUntilAccessUnit(GstElement* depayloader);

}  // namespace cap
