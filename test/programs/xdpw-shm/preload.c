// Preloaded into xdg-desktop-portal-wlr 0.7, which insists on a DMA-BUF format although it can do without: what
// the compositor says of buffers in shared memory counts as that, too.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wayland-client.h>

// The events of zwlr_screencopy_frame_v1, in their order.
struct listener {
  void (*buffer)(void *, void *frame, uint32_t format, uint32_t width, uint32_t height, uint32_t stride);
  void (*flags)(void *, void *, uint32_t);
  void (*ready)(void *, void *, uint32_t, uint32_t, uint32_t);
  void (*failed)(void *, void *);
  void (*damage)(void *, void *, uint32_t, uint32_t, uint32_t, uint32_t);
  void (*linux_dmabuf)(void *, void *frame, uint32_t format, uint32_t width, uint32_t height);
  void (*buffer_done)(void *, void *);
};

static const struct listener *theirs;

static void on_buffer(void *data, void *frame, uint32_t format, uint32_t width, uint32_t height, uint32_t stride) {
  theirs->buffer(data, frame, format, width, height, stride);
  const uint32_t drm = format > 1 ? format : format == 0 ? 0x34325241 : 0x34325258;  // AR24, XR24
  theirs->linux_dmabuf(data, frame, drm, width, height);
}

int wl_proxy_add_listener(struct wl_proxy *proxy, void (**implementation)(void), void *data) {
  int (*next)(struct wl_proxy *, void (**)(void), void *) = dlsym(RTLD_NEXT, "wl_proxy_add_listener");
  static struct listener ours;
  if (strcmp(wl_proxy_get_class(proxy), "zwlr_screencopy_frame_v1") == 0) {
    theirs = (const struct listener *)implementation;
    ours = *theirs;
    ours.buffer = on_buffer;
    implementation = (void (**)(void))&ours;
  }
  return next(proxy, implementation, data);
}
