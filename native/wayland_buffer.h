// A buffer in shared memory that a compositor copies pictures into.
#pragma once

#include <wayland-client.h>

#include <cstdint>
#include <memory>

#include "screen_pixels.h"

namespace cap {

class WaylandBuffer {
 public:
  // Null when there is no memory for it.
  static std::unique_ptr<WaylandBuffer> Allocate(wl_shm* shm, const PixelLayout& layout);
  ~WaylandBuffer();
  WaylandBuffer(const WaylandBuffer&) = delete;
  WaylandBuffer& operator=(const WaylandBuffer&) = delete;

  wl_buffer* proxy() const { return buffer_; }
  const PixelLayout& layout() const { return layout_; }
  const uint8_t* pixels() const { return pixels_; }

 private:
  WaylandBuffer() = default;

  PixelLayout layout_;
  wl_buffer* buffer_ = nullptr;
  uint8_t* pixels_ = nullptr;
  size_t size_ = 0;
};

}  // namespace cap
