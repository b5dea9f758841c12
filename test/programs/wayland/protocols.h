// The server's side of the protocols: interface tables, and structs of the requests' handlers.
#pragma once

#include <wayland-server.h>

extern const struct wl_interface capture_source_interface;
extern const struct wl_interface output_source_manager_interface;
extern const struct wl_interface toplevel_source_manager_interface;
extern const struct wl_interface copy_manager_interface;
extern const struct wl_interface copy_session_interface;
extern const struct wl_interface copy_frame_interface;
extern const struct wl_interface toplevel_list_interface;
extern const struct wl_interface toplevel_handle_interface;
extern const struct wl_interface screencopy_manager_interface;
extern const struct wl_interface screencopy_frame_interface;

typedef struct wl_client Client;
typedef struct wl_resource Resource;

// Handlers, in the order of the requests.
struct just_destroy {
  void (*destroy)(Client *, Resource *);
};
struct source_manager_requests {
  void (*create_source)(Client *, Resource *, uint32_t id, Resource *what);
  void (*destroy)(Client *, Resource *);
};
struct copy_manager_requests {
  void (*create_session)(Client *, Resource *, uint32_t id, Resource *source, uint32_t options);
  void (*create_pointer_cursor_session)(Client *, Resource *, uint32_t id, Resource *source, Resource *pointer);
  void (*destroy)(Client *, Resource *);
};
struct copy_session_requests {
  void (*create_frame)(Client *, Resource *, uint32_t id);
  void (*destroy)(Client *, Resource *);
};
struct copy_frame_requests {
  void (*destroy)(Client *, Resource *);
  void (*attach_buffer)(Client *, Resource *, Resource *buffer);
  void (*damage_buffer)(Client *, Resource *, int32_t x, int32_t y, int32_t width, int32_t height);
  void (*capture)(Client *, Resource *);
};
struct toplevel_list_requests {
  void (*stop)(Client *, Resource *);
  void (*destroy)(Client *, Resource *);
};
struct screencopy_manager_requests {
  void (*capture_output)(Client *, Resource *, uint32_t id, int32_t cursor, Resource *output);
  void (*capture_output_region)(Client *, Resource *, uint32_t id, int32_t cursor, Resource *output, int32_t x,
                                int32_t y, int32_t width, int32_t height);
  void (*destroy)(Client *, Resource *);
};
struct screencopy_frame_requests {
  void (*copy)(Client *, Resource *, Resource *buffer);
  void (*destroy)(Client *, Resource *);
  void (*copy_with_damage)(Client *, Resource *, Resource *buffer);
};

// Events, by their position.
enum {
  SESSION_BUFFER_SIZE,
  SESSION_SHM_FORMAT,
  SESSION_DMABUF_DEVICE,
  SESSION_DMABUF_FORMAT,
  SESSION_DONE,
  SESSION_STOPPED
};
enum { FRAME_TRANSFORM, FRAME_DAMAGE, FRAME_PRESENTATION_TIME, FRAME_READY, FRAME_FAILED };
enum { LIST_TOPLEVEL, LIST_FINISHED };
enum { HANDLE_CLOSED, HANDLE_DONE, HANDLE_TITLE, HANDLE_APP_ID, HANDLE_IDENTIFIER };
enum { COPY_BUFFER, COPY_FLAGS, COPY_READY, COPY_FAILED, COPY_DAMAGE, COPY_LINUX_DMABUF, COPY_BUFFER_DONE };

// Errors.
enum { ERROR_INVALID_OPTION = 1 };
enum { ERROR_DUPLICATE_FRAME = 1 };
enum { ERROR_NO_BUFFER = 1, ERROR_INVALID_BUFFER_DAMAGE = 2, ERROR_ALREADY_CAPTURED = 3 };
enum { ERROR_ALREADY_USED = 0, ERROR_INVALID_BUFFER = 1 };
