// What is said to PipeWire about pictures: the formats that can be read, and what else is wanted with them.
#pragma once

#include <spa/param/video/raw.h>
#include <spa/pod/pod.h>

#include <memory>
#include <optional>
#include <vector>

#include "screen_pixels.h"

namespace cap {

// Parameters of a stream, with their memory.
class PipewireParams {
 public:
  // The formats that can be read, best first: pictures at most `max_fps` a second, and in DMA-BUFs that
  // the processor can read, unless these are not wanted.
  static PipewireParams Formats(int max_fps, bool dmabuf);
  // The buffers for a format, and the metadata wanted in them.
  static PipewireParams Buffers(bool dmabuf);

  const spa_pod** data() { return pods_.data(); }
  uint32_t size() const { return static_cast<uint32_t>(pods_.size()); }

 private:
  template <typename Build>
  void Add(Build build);

  std::vector<std::unique_ptr<uint8_t[]>> memory_;
  std::vector<const spa_pod*> pods_;
};

// A format that was agreed on.
struct PipewireFormat {
  PixelLayout layout;  // without the stride
  bool dmabuf = false;

  // Nothing for one that cannot be read.
  static std::optional<PipewireFormat> Parse(const spa_pod* pod);
};

}  // namespace cap
