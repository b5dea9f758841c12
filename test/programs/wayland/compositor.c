// compositor ext|wlr|none WIDTH HEIGHT: prints "ready" once clients can connect to wayland-test in
// $XDG_RUNTIME_DIR, then obeys the lines of its standard input, each answered by a line "ok" and its number.
#include "compositor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct compositor compositor = {.formats = {WL_SHM_FORMAT_XRGB8888}, .format_count = 1};

static enum { NONE, EXT, WLR } offered;
static struct wl_list outputs, handles;
static struct wl_global *output_global;

// --- the monitor

static void send_geometry(Resource *output) {
  wl_output_send_geometry(output, 0, 0, 300, 200, WL_OUTPUT_SUBPIXEL_UNKNOWN, "test", "test", compositor.transform);
  wl_output_send_mode(output, WL_OUTPUT_MODE_CURRENT, buffer_width(), buffer_height(), 60000);
  wl_output_send_done(output);
}

static const struct wl_output_interface output_requests = {.release = destroy_resource};

static void unlink_resource(Resource *resource) { wl_list_remove(wl_resource_get_link(resource)); }

static void bind_output(Client *client, void *data, uint32_t version, uint32_t id) {
  Resource *output = wl_resource_create(client, &wl_output_interface, (int)version, id);
  wl_resource_set_implementation(output, &output_requests, data, unlink_resource);
  wl_list_insert(&outputs, wl_resource_get_link(output));
  if (version >= 4) {
    wl_output_send_name(output, "TEST-1");
    wl_output_send_description(output, "the monitor of a test");
  }
  send_geometry(output);
}

static void tell_outputs(void) {
  Resource *output;
  wl_resource_for_each(output, &outputs) send_geometry(output);
}

// --- the window

static const struct just_destroy handle_requests = {destroy_resource};

static void list_stop(Client *client, Resource *list) {
  (void)client;
  wl_resource_post_event(list, LIST_FINISHED);
}

static const struct toplevel_list_requests list_requests = {list_stop, destroy_resource};

static void bind_list(Client *client, void *data, uint32_t version, uint32_t id) {
  Resource *list = wl_resource_create(client, &toplevel_list_interface, (int)version, id);
  wl_resource_set_implementation(list, &list_requests, data, NULL);
  Resource *handle = wl_resource_create(client, &toplevel_handle_interface, (int)version, 0);
  wl_resource_set_implementation(handle, &handle_requests, NULL, unlink_resource);
  wl_list_insert(&handles, wl_resource_get_link(handle));
  wl_resource_post_event(list, LIST_TOPLEVEL, handle);
  wl_resource_post_event(handle, HANDLE_IDENTIFIER, "window-1");
  wl_resource_post_event(handle, HANDLE_TITLE, "A window of a test");
  wl_resource_post_event(handle, HANDLE_APP_ID, "org.example.test");
  wl_resource_post_event(handle, HANDLE_DONE);
}

static void close_window(void) {
  Resource *handle;
  wl_resource_for_each(handle, &handles) wl_resource_post_event(handle, HANDLE_CLOSED);
  image_copy_stop(true);
}

// --- orders

static void changed(Area upright) {
  if (offered == EXT) image_copy_changed(upright);
  if (offered == WLR) screencopy_changed(upright);
}

static void reconfigured(bool new_constraints) {
  tell_outputs();
  if (offered == EXT) image_copy_reconfigured(new_constraints);
  if (offered == WLR) screencopy_reconfigured();
}

static void set_formats(char *text) {
  compositor.format_count = 0;
  for (char *one = strtok(text, " "); one && compositor.format_count < 16; one = strtok(NULL, " ")) {
    compositor.formats[compositor.format_count++] = (uint32_t)strtoul(one, NULL, 0);
  }
}

static bool obey(char *line) {
  int a, b, c, d;
  unsigned colour;
  if (sscanf(line, "picture %d %d %u", &a, &b, &colour) == 3) {
    const bool resized = a != compositor.width || b != compositor.height;
    fill_picture(a, b, colour);
    reconfigured(resized);
  } else if (sscanf(line, "rect %d %d %d %d %x", &a, &b, &c, &d, &colour) == 5) {
    paint((Area){a, b, c, d}, colour);
    changed((Area){a, b, c, d});
  } else if (sscanf(line, "transform %d", &a) == 1) {
    const bool resized = (a & 1) != (compositor.transform & 1) && compositor.width != compositor.height;
    compositor.transform = a;
    reconfigured(resized);
  } else if (strncmp(line, "formats ", 8) == 0) {
    set_formats(line + 8);
    reconfigured(true);
  } else if (sscanf(line, "stride %d", &compositor.extra_stride) == 1) {
    reconfigured(false);
  } else if (sscanf(line, "invert %d", &a) == 1) {
    compositor.y_invert = a;
    reconfigured(false);
  } else if (sscanf(line, "fail %d %d", &compositor.fail_reason, &compositor.fail_count) == 2) {
    changed((Area){0});
  } else if (sscanf(line, "hold %d", &a) == 1) {
    compositor.hold = a;
    changed((Area){0});
  } else if (strcmp(line, "stop") == 0) {
    image_copy_stop(false);
  } else if (strcmp(line, "refuse") == 0) {
    image_copy_refuse();
  } else if (strcmp(line, "close-window") == 0) {
    close_window();
  } else if (strcmp(line, "unplug") == 0) {
    wl_global_remove(output_global);
  } else if (strcmp(line, "plug") == 0) {
    output_global = wl_global_create(compositor.display, &wl_output_interface, 4, NULL, bind_output);
  } else if (strcmp(line, "stats") == 0) {
    printf("stats %d %d %d %d %d\n", compositor.copies, compositor.violations, compositor.buffers, compositor.frames,
           compositor.sessions);
  } else {
    return false;
  }
  return true;
}

static int on_input(int fd, uint32_t mask, void *data) {
  static char text[65536];
  static size_t length;
  static int obeyed;
  (void)mask, (void)data;
  const ssize_t more = read(fd, text + length, sizeof text - 1 - length);
  if (more <= 0) exit(0);
  length += (size_t)more;
  text[length] = 0;
  for (char *end; (end = strchr(text, '\n'));) {
    *end = 0;
    if (obey(text)) {
      printf("ok %d\n", ++obeyed);
    } else {
      printf("unknown order: %s\n", text);
    }
    length -= (size_t)(end + 1 - text);
    memmove(text, end + 1, length + 1);
  }
  fflush(stdout);
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  offered = strcmp(argv[1], "ext") == 0 ? EXT : strcmp(argv[1], "wlr") == 0 ? WLR : NONE;
  fill_picture(atoi(argv[2]), atoi(argv[3]), 1);
  compositor.display = wl_display_create();
  wl_list_init(&outputs);
  wl_list_init(&handles);
  wl_display_init_shm(compositor.display);
  const uint32_t formats[] = {WL_SHM_FORMAT_XBGR8888,    WL_SHM_FORMAT_ABGR8888,    WL_SHM_FORMAT_RGBX8888,
                              WL_SHM_FORMAT_RGBA8888,    WL_SHM_FORMAT_BGRX8888,    WL_SHM_FORMAT_BGRA8888,
                              WL_SHM_FORMAT_RGB888,      WL_SHM_FORMAT_BGR888,      WL_SHM_FORMAT_XRGB2101010,
                              WL_SHM_FORMAT_ARGB2101010, WL_SHM_FORMAT_XBGR2101010, WL_SHM_FORMAT_ABGR2101010,
                              WL_SHM_FORMAT_RGB565,      WL_SHM_FORMAT_BGR565};
  for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i)
    wl_display_add_shm_format(compositor.display, formats[i]);
  output_global = wl_global_create(compositor.display, &wl_output_interface, 4, NULL, bind_output);
  if (offered == EXT) {
    offer_image_copy();
    wl_global_create(compositor.display, &toplevel_list_interface, 1, NULL, bind_list);
  }
  if (offered == WLR) offer_screencopy();
  if (wl_display_add_socket(compositor.display, "wayland-test") != 0) return 1;
  wl_event_loop_add_fd(wl_display_get_event_loop(compositor.display), 0, WL_EVENT_READABLE, on_input, NULL);
  puts("ready");
  fflush(stdout);
  wl_display_run(compositor.display);
  return 0;
}
