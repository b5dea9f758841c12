// Gives every frame that leaves a source its FrameMeta: number, capture time, source size.
#pragma once

#include <gst/gst.h>

#include <atomic>
#include <memory>

namespace cap {

// Who says what changed since the frame before.
enum class DamageFrom {
  kNobody,
  kSource,    // and where it does not, its pictures are compared
  kPictures,  // they are compared
};

// Stamps what leaves `element`'s src pad and counts it in `counter`. Posts the element message
// "cap-source-size" (width, height) when the size is known and whenever it changes.
void AttachFrameStamper(GstElement* element, std::shared_ptr<std::atomic<uint64_t>> counter, DamageFrom damage);

uint64_t MonotonicNs();
uint64_t WallUs();

}  // namespace cap
