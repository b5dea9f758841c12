#include "wayland_buffer.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <climits>

namespace cap {

std::unique_ptr<WaylandBuffer> WaylandBuffer::Allocate(wl_shm* shm, const PixelLayout& layout) {
  const int64_t size = int64_t{layout.stride} * layout.height;
  if (size <= 0 || size > INT_MAX) return nullptr;
  const int fd = memfd_create("cap-wayland", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return nullptr;
  void* pixels = MAP_FAILED;
  // All of it is reserved now: with memory that is only promised, the process would end at the first touch.
  if (posix_fallocate(fd, 0, size) == 0) {
    // Nobody may cut it off under us.
    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
    pixels = mmap(nullptr, static_cast<size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  }
  if (pixels == MAP_FAILED) {
    close(fd);
    return nullptr;
  }
  std::unique_ptr<WaylandBuffer> self(new WaylandBuffer());
  self->layout_ = layout;
  self->pixels_ = static_cast<uint8_t*>(pixels);
  self->size_ = static_cast<size_t>(size);
  wl_shm_pool* pool = wl_shm_create_pool(shm, fd, static_cast<int32_t>(size));
  self->buffer_ = wl_shm_pool_create_buffer(pool, 0, layout.width, layout.height, layout.stride, layout.format);
  wl_shm_pool_destroy(pool);
  close(fd);
  return self;
}

WaylandBuffer::~WaylandBuffer() {
  if (buffer_) wl_buffer_destroy(buffer_);
  munmap(pixels_, size_);
}

}  // namespace cap
