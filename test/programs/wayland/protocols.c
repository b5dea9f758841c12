#include "protocols.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define MESSAGES(...) \
  (const struct wl_message[]) { __VA_ARGS__ }
#define TYPES(...) \
  (const struct wl_interface *[]) { __VA_ARGS__ }
#define PLAIN TYPES(0, 0, 0, 0, 0, 0, 0)
#define INTERFACE(name, version, requests, request_count, events, event_count) \
  { name, version, request_count, requests, event_count, events }

static const struct wl_interface cursor_session_interface = INTERFACE(
    "ext_image_copy_capture_cursor_session_v1", 1,
    MESSAGES({"destroy", "", PLAIN}, {"get_capture_session", "n", TYPES(&copy_session_interface)}), 2,
    MESSAGES({"enter", "", PLAIN}, {"leave", "", PLAIN}, {"position", "ii", PLAIN}, {"hotspot", "ii", PLAIN}), 4);

const struct wl_interface capture_source_interface =
    INTERFACE("ext_image_capture_source_v1", 1, MESSAGES({"destroy", "", PLAIN}), 1, NULL, 0);

const struct wl_interface output_source_manager_interface = INTERFACE(
    "ext_output_image_capture_source_manager_v1", 1,
    MESSAGES({"create_source", "no", TYPES(&capture_source_interface, &wl_output_interface)}, {"destroy", "", PLAIN}),
    2, NULL, 0);

const struct wl_interface toplevel_source_manager_interface =
    INTERFACE("ext_foreign_toplevel_image_capture_source_manager_v1", 1,
              MESSAGES({"create_source", "no", TYPES(&capture_source_interface, &toplevel_handle_interface)},
                       {"destroy", "", PLAIN}),
              2, NULL, 0);

const struct wl_interface copy_manager_interface =
    INTERFACE("ext_image_copy_capture_manager_v1", 1,
              MESSAGES({"create_session", "nou", TYPES(&copy_session_interface, &capture_source_interface, 0)},
                       {"create_pointer_cursor_session", "noo",
                        TYPES(&cursor_session_interface, &capture_source_interface, &wl_pointer_interface)},
                       {"destroy", "", PLAIN}),
              3, NULL, 0);

const struct wl_interface copy_session_interface =
    INTERFACE("ext_image_copy_capture_session_v1", 1,
              MESSAGES({"create_frame", "n", TYPES(&copy_frame_interface)}, {"destroy", "", PLAIN}), 2,
              MESSAGES({"buffer_size", "uu", PLAIN}, {"shm_format", "u", PLAIN}, {"dmabuf_device", "a", PLAIN},
                       {"dmabuf_format", "ua", PLAIN}, {"done", "", PLAIN}, {"stopped", "", PLAIN}),
              6);

const struct wl_interface copy_frame_interface =
    INTERFACE("ext_image_copy_capture_frame_v1", 1,
              MESSAGES({"destroy", "", PLAIN}, {"attach_buffer", "o", TYPES(&wl_buffer_interface)},
                       {"damage_buffer", "iiii", PLAIN}, {"capture", "", PLAIN}),
              4,
              MESSAGES({"transform", "u", PLAIN}, {"damage", "iiii", PLAIN}, {"presentation_time", "uuu", PLAIN},
                       {"ready", "", PLAIN}, {"failed", "u", PLAIN}),
              5);

const struct wl_interface toplevel_list_interface =
    INTERFACE("ext_foreign_toplevel_list_v1", 1, MESSAGES({"stop", "", PLAIN}, {"destroy", "", PLAIN}), 2,
              MESSAGES({"toplevel", "n", TYPES(&toplevel_handle_interface)}, {"finished", "", PLAIN}), 2);

const struct wl_interface toplevel_handle_interface =
    INTERFACE("ext_foreign_toplevel_handle_v1", 1, MESSAGES({"destroy", "", PLAIN}), 1,
              MESSAGES({"closed", "", PLAIN}, {"done", "", PLAIN}, {"title", "s", PLAIN}, {"app_id", "s", PLAIN},
                       {"identifier", "s", PLAIN}),
              5);

const struct wl_interface screencopy_manager_interface = INTERFACE(
    "zwlr_screencopy_manager_v1", 3,
    MESSAGES(
        {"capture_output", "nio", TYPES(&screencopy_frame_interface, 0, &wl_output_interface)},
        {"capture_output_region", "nioiiii", TYPES(&screencopy_frame_interface, 0, &wl_output_interface, 0, 0, 0, 0)},
        {"destroy", "", PLAIN}),
    3, NULL, 0);

const struct wl_interface screencopy_frame_interface =
    INTERFACE("zwlr_screencopy_frame_v1", 3,
              MESSAGES({"copy", "o", TYPES(&wl_buffer_interface)}, {"destroy", "", PLAIN},
                       {"copy_with_damage", "2o", TYPES(&wl_buffer_interface)}),
              3,
              MESSAGES({"buffer", "uuuu", PLAIN}, {"flags", "u", PLAIN}, {"ready", "uuu", PLAIN}, {"failed", "", PLAIN},
                       {"damage", "2uuuu", PLAIN}, {"linux_dmabuf", "3uuu", PLAIN}, {"buffer_done", "3", PLAIN}),
              7);
