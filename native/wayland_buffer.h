// A buffer in shared memory that a compositor copies pictures into.
#pragma once

#include <wayland-client.h>

#include <cstdint>
#include <memory>

namespace cap {

class WaylandBuffer {
 public:
  struct Layout {
    int width = 0, height = 0, stride = 0;
    uint32_t format = 0;  // enum wl_shm.format
    bool operator==(const Layout& other) const {
      return width == other.width && height == other.height && stride == other.stride && format == other.format;
    }
  };

  // Null when there is no memory for it.
  static std::unique_ptr<WaylandBuffer> Allocate(wl_shm* shm, const Layout& layout);
  ~WaylandBuffer();
  WaylandBuffer(const WaylandBuffer&) = delete;
  WaylandBuffer& operator=(const WaylandBuffer&) = delete;

  wl_buffer* proxy() const { return buffer_; }
  const Layout& layout() const { return layout_; }
  const uint8_t* pixels() const { return pixels_; }

 private:
  WaylandBuffer() = default;

  Layout layout_;
  wl_buffer* buffer_ = nullptr;
  uint8_t* pixels_ = nullptr;
  size_t size_ = 0;
};

}  // namespace cap
