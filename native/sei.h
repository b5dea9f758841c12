// H.264 SEI user_data_unregistered (ITU-T H.264 D.1.7): one message per access unit with our
// UUID. The payload's format is docs/sei.md; here it is bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "rect.h"

namespace cap {

// A whole SEI NAL unit in byte-stream format, start code included.
std::vector<uint8_t> BuildSeiNal(const uint8_t* payload, size_t size);

// The payload (after the UUID) of our first SEI message in a byte-stream access unit, with
// emulation prevention undone. Looks no further than the first slice; safe on any bytes.
std::optional<std::vector<uint8_t>> FindSeiPayload(const uint8_t* data, size_t size);

// Offset of the first VCL NAL unit's start code, where an SEI belongs; `size` when there is none.
size_t FirstSliceOffset(const uint8_t* data, size_t size);

// Where an access unit delimiter lies that is not the first NAL unit: its start code's offset and its
// length, or a length of 0. Looks no further than the first slice.
struct Span {
  size_t offset, length;
};
Span FindLateDelimiter(const uint8_t* data, size_t size);

// Whether the access unit's first slice is not its picture's first one (first_mb_in_slice is not 0), as
// when a reader joined in the middle of the picture or lost its beginning.
bool LacksBeginning(const uint8_t* data, size_t size);

struct FrameStamp {
  uint64_t frame_number;
  uint64_t monotonic_ns;
  uint64_t wall_us;
  uint64_t clock_id;
  uint16_t width;
  uint16_t height;
  const Rects* damage;  // null: unknown
};

// The payload's per-frame sections, followed by `static_sections`.
std::vector<uint8_t> BuildPayload(const FrameStamp& stamp, const std::vector<uint8_t>& static_sections);

// FNV-1a 64 of the kernel's boot id: names the monotonic clock.
uint64_t ClockId();

}  // namespace cap
