// wlr-screencopy-unstable-v1, version 3, as strict as the protocol allows.
#include <stdlib.h>
#include <time.h>

#include "compositor.h"

enum { FLAG_Y_INVERT = 1 };

typedef struct {
  struct wl_list link;
  Resource *resource;
  Resource *buffer;
  struct wl_listener buffer_destroyed;
  int width, height, stride;  // as offered
  uint32_t format;
  bool cursor, used, copying, with_damage;
} Frame;

static struct wl_list frames;
static Region damage;  // since the last copy

static void drop_buffer(struct wl_listener *listener, void *data) {
  (void)data;
  Frame *frame = wl_container_of(listener, frame, buffer_destroyed);
  frame->buffer = NULL;
}

static void fail(Frame *frame) {
  frame->copying = false;
  wl_resource_post_event(frame->resource, COPY_FAILED);
}

static void try_copy(Frame *frame) {
  if (!frame->copying || compositor.hold) return;
  if (compositor.fail_count > 0) {
    compositor.fail_count--;
    fail(frame);
    return;
  }
  if (frame->with_damage && damage.count == 0) return;
  struct wl_shm_buffer *buffer = frame->buffer ? wl_shm_buffer_get(frame->buffer) : NULL;
  if (!buffer || frame->width != buffer_width() || frame->height != buffer_height()) {
    fail(frame);
    return;
  }
  const Region whole = {{whole_buffer()}, 1};
  copy_picture(buffer, &whole, NULL, frame->cursor, compositor.y_invert);
  wl_resource_post_event(frame->resource, COPY_FLAGS, compositor.y_invert ? FLAG_Y_INVERT : 0);
  for (int i = 0; frame->with_damage && i < damage.count; ++i) {
    const Area *rect = &damage.rects[i];
    wl_resource_post_event(frame->resource, COPY_DAMAGE, rect->x, rect->y, rect->width, rect->height);
  }
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  wl_resource_post_event(frame->resource, COPY_READY, (uint32_t)((uint64_t)now.tv_sec >> 32), (uint32_t)now.tv_sec,
                         (uint32_t)now.tv_nsec);
  damage.count = 0;
  frame->copying = false;
  compositor.copies++;
}

static void begin_copy(Resource *resource, Resource *buffer_resource, bool with_damage) {
  Frame *frame = wl_resource_get_user_data(resource);
  if (frame->used) {
    wl_resource_post_error(resource, ERROR_ALREADY_USED, "copied twice");
    return;
  }
  struct wl_shm_buffer *buffer = wl_shm_buffer_get(buffer_resource);
  if (!buffer || wl_shm_buffer_get_width(buffer) != frame->width || wl_shm_buffer_get_height(buffer) != frame->height ||
      wl_shm_buffer_get_stride(buffer) != frame->stride || wl_shm_buffer_get_format(buffer) != frame->format) {
    wl_resource_post_error(resource, ERROR_INVALID_BUFFER, "not the buffer that was offered");
    return;
  }
  note_buffer(buffer_resource);
  frame->used = frame->copying = true;
  frame->with_damage = with_damage;
  frame->buffer = buffer_resource;
  frame->buffer_destroyed.notify = drop_buffer;
  wl_resource_add_destroy_listener(buffer_resource, &frame->buffer_destroyed);
  try_copy(frame);
}

static void frame_copy(Client *client, Resource *resource, Resource *buffer) {
  (void)client;
  begin_copy(resource, buffer, false);
}

static void frame_copy_with_damage(Client *client, Resource *resource, Resource *buffer) {
  (void)client;
  begin_copy(resource, buffer, true);
}

static const struct screencopy_frame_requests frame_requests = {frame_copy, destroy_resource, frame_copy_with_damage};

static void frame_ended(Resource *resource) {
  Frame *frame = wl_resource_get_user_data(resource);
  if (frame->buffer) wl_list_remove(&frame->buffer_destroyed.link);
  wl_list_remove(&frame->link);
  compositor.frames--;
  free(frame);
}

static void capture_output(Client *client, Resource *manager, uint32_t id, int32_t cursor, Resource *output) {
  (void)manager, (void)output;
  Frame *frame = calloc(1, sizeof *frame);
  frame->cursor = cursor != 0;
  frame->width = buffer_width();
  frame->height = buffer_height();
  frame->format = compositor.formats[0];
  frame->stride = frame->width * bytes_per_pixel(frame->format) + compositor.extra_stride;
  frame->resource = wl_resource_create(client, &screencopy_frame_interface, 3, id);
  wl_resource_set_implementation(frame->resource, &frame_requests, frame, frame_ended);
  wl_list_insert(&frames, &frame->link);
  compositor.frames++;
  wl_resource_post_event(frame->resource, COPY_BUFFER, frame->format, frame->width, frame->height, frame->stride);
  wl_resource_post_event(frame->resource, COPY_LINUX_DMABUF, 0x34325258, frame->width, frame->height);
  wl_resource_post_event(frame->resource, COPY_BUFFER_DONE);
}

static void capture_output_region(Client *client, Resource *manager, uint32_t id, int32_t cursor, Resource *output,
                                  int32_t x, int32_t y, int32_t width, int32_t height) {
  (void)x, (void)y, (void)width, (void)height;
  capture_output(client, manager, id, cursor, output);
}

static const struct screencopy_manager_requests manager_requests = {capture_output, capture_output_region,
                                                                    destroy_resource};

static void bind_manager(Client *client, void *data, uint32_t version, uint32_t id) {
  Resource *resource = wl_resource_create(client, &screencopy_manager_interface, (int)version, id);
  wl_resource_set_implementation(resource, &manager_requests, data, NULL);
  damage.count = 0;
  add_area(&damage, whole_buffer());
}

void offer_screencopy(void) {
  wl_list_init(&frames);
  wl_global_create(compositor.display, &screencopy_manager_interface, 3, NULL, bind_manager);
}

void screencopy_changed(Area upright) {
  Frame *frame;
  if (upright.width > 0) add_area(&damage, in_buffer(upright));
  wl_list_for_each(frame, &frames, link) try_copy(frame);
}

void screencopy_reconfigured(void) {
  Frame *frame;
  damage.count = 0;
  add_area(&damage, whole_buffer());
  wl_list_for_each(frame, &frames, link) try_copy(frame);
}
