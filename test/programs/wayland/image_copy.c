// ext-image-copy-capture-v1 and its sources, as strict as the protocol allows.
#include <stdlib.h>
#include <time.h>

#include "compositor.h"

enum { PAINT_CURSORS = 1 };
enum { REASON_CONSTRAINTS = 1 };

typedef struct frame Frame;

typedef struct {
  struct wl_list link;
  Resource *resource;
  Frame *frame;
  Region damage;  // since the last copy
  bool cursor, of_window, stopped;
} Session;

struct frame {
  Resource *resource;
  Session *session;
  Resource *buffer;
  struct wl_listener buffer_destroyed;
  Region buffer_damage;
  bool new_buffer, capturing, over;
};

static struct wl_list sessions;

static void drop_buffer(struct wl_listener *listener, void *data) {
  (void)data;
  Frame *frame = wl_container_of(listener, frame, buffer_destroyed);
  frame->buffer = NULL;
}

static void fail(Frame *frame, uint32_t reason) {
  frame->over = true;
  frame->capturing = false;
  wl_resource_post_event(frame->resource, FRAME_FAILED, reason);
}

static bool is_offered(uint32_t format) {
  for (int i = 0; i < compositor.format_count; ++i) {
    if (compositor.formats[i] == format) return true;
  }
  return false;
}

static bool is_whole(const Region *region) {
  const Area whole = whole_buffer();
  for (int i = 0; i < region->count; ++i) {
    const Area *rect = &region->rects[i];
    if (rect->x == 0 && rect->y == 0 && rect->width == whole.width && rect->height == whole.height) return true;
  }
  return false;
}

static void try_copy(Session *session) {
  Frame *frame = session->frame;
  if (!frame || !frame->capturing || compositor.hold) return;
  if (compositor.fail_count > 0) {
    compositor.fail_count--;
    fail(frame, (uint32_t)compositor.fail_reason);
    return;
  }
  if (session->damage.count == 0) return;
  struct wl_shm_buffer *buffer = frame->buffer ? wl_shm_buffer_get(frame->buffer) : NULL;
  if (!buffer || wl_shm_buffer_get_width(buffer) != buffer_width() ||
      wl_shm_buffer_get_height(buffer) != buffer_height() || !is_offered(wl_shm_buffer_get_format(buffer))) {
    fail(frame, REASON_CONSTRAINTS);
    return;
  }
  if (frame->new_buffer && !is_whole(&frame->buffer_damage)) compositor.violations++;
  copy_picture(buffer, &session->damage, &frame->buffer_damage, session->cursor, false);
  wl_resource_post_event(frame->resource, FRAME_TRANSFORM, compositor.transform);
  for (int i = 0; i < session->damage.count; ++i) {
    const Area *rect = &session->damage.rects[i];
    wl_resource_post_event(frame->resource, FRAME_DAMAGE, rect->x, rect->y, rect->width, rect->height);
  }
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  wl_resource_post_event(frame->resource, FRAME_PRESENTATION_TIME, (uint32_t)((uint64_t)now.tv_sec >> 32),
                         (uint32_t)now.tv_sec, (uint32_t)now.tv_nsec);
  wl_resource_post_event(frame->resource, FRAME_READY);
  session->damage.count = 0;
  frame->over = true;
  frame->capturing = false;
  compositor.copies++;
}

// --- frames

static void frame_attach(Client *client, Resource *resource, Resource *buffer) {
  (void)client;
  Frame *frame = wl_resource_get_user_data(resource);
  if (frame->capturing || frame->over) {
    wl_resource_post_error(resource, ERROR_ALREADY_CAPTURED, "attach after capture");
    return;
  }
  if (frame->buffer) wl_list_remove(&frame->buffer_destroyed.link);
  frame->buffer = buffer;
  frame->new_buffer = note_buffer(buffer);
  frame->buffer_destroyed.notify = drop_buffer;
  wl_resource_add_destroy_listener(buffer, &frame->buffer_destroyed);
}

static void frame_damage(Client *client, Resource *resource, int32_t x, int32_t y, int32_t width, int32_t height) {
  (void)client;
  Frame *frame = wl_resource_get_user_data(resource);
  if (frame->capturing || frame->over) {
    wl_resource_post_error(resource, ERROR_ALREADY_CAPTURED, "damage after capture");
  } else if (x < 0 || y < 0 || width <= 0 || height <= 0) {
    wl_resource_post_error(resource, ERROR_INVALID_BUFFER_DAMAGE, "damage %d,%d %dx%d", x, y, width, height);
  } else {
    add_area(&frame->buffer_damage, (Area){x, y, width, height});
  }
}

static void frame_capture(Client *client, Resource *resource) {
  (void)client;
  Frame *frame = wl_resource_get_user_data(resource);
  if (frame->capturing || frame->over) {
    wl_resource_post_error(resource, ERROR_ALREADY_CAPTURED, "captured twice");
  } else if (!frame->buffer) {
    wl_resource_post_error(resource, ERROR_NO_BUFFER, "capture without a buffer");
  } else {
    frame->capturing = true;
    if (frame->session) try_copy(frame->session);
  }
}

static const struct copy_frame_requests frame_requests = {destroy_resource, frame_attach, frame_damage, frame_capture};

static void frame_ended(Resource *resource) {
  Frame *frame = wl_resource_get_user_data(resource);
  if (frame->session) frame->session->frame = NULL;
  if (frame->buffer) wl_list_remove(&frame->buffer_destroyed.link);
  compositor.frames--;
  free(frame);
}

// --- sessions

static void session_create_frame(Client *client, Resource *resource, uint32_t id) {
  Session *session = wl_resource_get_user_data(resource);
  if (session->frame) {
    wl_resource_post_error(resource, ERROR_DUPLICATE_FRAME, "the frame before was not destroyed");
    return;
  }
  Frame *frame = calloc(1, sizeof *frame);
  frame->session = session;
  session->frame = frame;
  frame->resource = wl_resource_create(client, &copy_frame_interface, 1, id);
  wl_resource_set_implementation(frame->resource, &frame_requests, frame, frame_ended);
  compositor.frames++;
}

static const struct copy_session_requests session_requests = {session_create_frame, destroy_resource};

static void session_ended(Resource *resource) {
  Session *session = wl_resource_get_user_data(resource);
  if (session->frame) session->frame->session = NULL;
  wl_list_remove(&session->link);
  compositor.sessions--;
  free(session);
}

static void send_constraints(Session *session) {
  wl_resource_post_event(session->resource, SESSION_BUFFER_SIZE, buffer_width(), buffer_height());
  for (int i = 0; i < compositor.format_count; ++i) {
    wl_resource_post_event(session->resource, SESSION_SHM_FORMAT, compositor.formats[i]);
  }
  // What a compositor with a GPU offers beside, and what is passed over.
  struct wl_array device, modifiers;
  wl_array_init(&device);
  wl_array_init(&modifiers);
  wl_resource_post_event(session->resource, SESSION_DMABUF_DEVICE, &device);
  wl_resource_post_event(session->resource, SESSION_DMABUF_FORMAT, 0x34325258, &modifiers);
  wl_resource_post_event(session->resource, SESSION_DONE);
}

static void create_session(Client *client, Resource *manager, uint32_t id, Resource *source, uint32_t options) {
  if (options & ~(uint32_t)PAINT_CURSORS) {
    wl_resource_post_error(manager, ERROR_INVALID_OPTION, "options %u", options);
    return;
  }
  Session *session = calloc(1, sizeof *session);
  session->cursor = options & PAINT_CURSORS;
  session->of_window = wl_resource_get_user_data(source) != NULL;
  add_area(&session->damage, whole_buffer());
  wl_list_insert(&sessions, &session->link);
  session->resource = wl_resource_create(client, &copy_session_interface, 1, id);
  wl_resource_set_implementation(session->resource, &session_requests, session, session_ended);
  compositor.sessions++;
  send_constraints(session);
}

static void create_cursor_session(Client *client, Resource *manager, uint32_t id, Resource *source, Resource *pointer) {
  (void)client, (void)id, (void)source, (void)pointer;
  wl_resource_post_error(manager, ERROR_INVALID_OPTION, "there is no pointer");
}

static const struct copy_manager_requests manager_requests = {create_session, create_cursor_session, destroy_resource};

static const struct just_destroy source_requests = {destroy_resource};

static void create_source(Client *client, Resource *manager, uint32_t id, Resource *what) {
  (void)what;
  Resource *resource = wl_resource_create(client, &capture_source_interface, 1, id);
  // Not null for a window's source: what its manager holds.
  wl_resource_set_implementation(resource, &source_requests, wl_resource_get_user_data(manager), NULL);
}

static const struct source_manager_requests source_manager_requests = {create_source, destroy_resource};

static void bind_manager(Client *client, void *data, uint32_t version, uint32_t id) {
  Resource *resource = wl_resource_create(client, &copy_manager_interface, (int)version, id);
  wl_resource_set_implementation(resource, &manager_requests, data, NULL);
}

static void bind_output_sources(Client *client, void *data, uint32_t version, uint32_t id) {
  Resource *resource = wl_resource_create(client, &output_source_manager_interface, (int)version, id);
  wl_resource_set_implementation(resource, &source_manager_requests, data, NULL);
}

static void bind_toplevel_sources(Client *client, void *data, uint32_t version, uint32_t id) {
  Resource *resource = wl_resource_create(client, &toplevel_source_manager_interface, (int)version, id);
  wl_resource_set_implementation(resource, &source_manager_requests, data, NULL);
}

void offer_image_copy(void) {
  static int window;
  wl_list_init(&sessions);
  wl_global_create(compositor.display, &copy_manager_interface, 1, NULL, bind_manager);
  wl_global_create(compositor.display, &output_source_manager_interface, 1, NULL, bind_output_sources);
  wl_global_create(compositor.display, &toplevel_source_manager_interface, 1, &window, bind_toplevel_sources);
}

void image_copy_changed(Area upright) {
  Session *session;
  wl_list_for_each(session, &sessions, link) {
    if (upright.width > 0) add_area(&session->damage, in_buffer(upright));
    try_copy(session);
  }
}

void image_copy_reconfigured(bool new_constraints) {
  Session *session;
  wl_list_for_each(session, &sessions, link) {
    if (new_constraints && session->frame && session->frame->capturing) fail(session->frame, REASON_CONSTRAINTS);
    if (new_constraints) send_constraints(session);
    session->damage.count = 0;
    add_area(&session->damage, whole_buffer());
    try_copy(session);
  }
}

void image_copy_stop(bool windows_only) {
  Session *session;
  wl_list_for_each(session, &sessions, link) {
    if (session->stopped || (windows_only && !session->of_window)) continue;
    wl_resource_post_event(session->resource, SESSION_STOPPED);
    session->stopped = true;
  }
}

void image_copy_refuse(void) {
  Session *session;
  wl_list_for_each(session, &sessions, link) {
    wl_resource_post_error(session->resource, ERROR_DUPLICATE_FRAME, "as the test told");
  }
}
