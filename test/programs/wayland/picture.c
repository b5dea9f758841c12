#include <stdlib.h>
#include <string.h>

#include "compositor.h"

static void place(int *x, int *y) { place_pixel(compositor.width, compositor.height, compositor.transform, x, y); }

int buffer_width(void) { return compositor.transform & 1 ? compositor.height : compositor.width; }
int buffer_height(void) { return compositor.transform & 1 ? compositor.width : compositor.height; }
Area whole_buffer(void) { return (Area){0, 0, buffer_width(), buffer_height()}; }

Area in_buffer(Area upright) {
  int x1 = upright.x, y1 = upright.y, x2 = x1 + upright.width - 1, y2 = y1 + upright.height - 1;
  place(&x1, &y1);
  place(&x2, &y2);
  const int left = x1 < x2 ? x1 : x2, top = y1 < y2 ? y1 : y2;
  return (Area){left, top, abs(x2 - x1) + 1, abs(y2 - y1) + 1};
}

void fill_picture(int width, int height, uint32_t seed) {
  compositor.width = width;
  compositor.height = height;
  compositor.picture = realloc(compositor.picture, sizeof(uint32_t) * (size_t)width * (size_t)height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) compositor.picture[y * width + x] = noise_pixel((uint32_t)x, (uint32_t)y, seed);
  }
}

void paint(Area area, uint32_t colour) {
  for (int y = area.y; y < area.y + area.height; ++y) {
    for (int x = area.x; x < area.x + area.width; ++x) compositor.picture[y * compositor.width + x] = colour;
  }
}

void add_area(Region *region, Area area) {
  if (region->count == MOST_RECTS) {
    region->count = 0;
    area = whole_buffer();
  }
  region->rects[region->count++] = area;
}

static bool holds(const Region *region, int x, int y) {
  for (int i = 0; region && i < region->count; ++i) {
    const Area *rect = &region->rects[i];
    if (x >= rect->x && y >= rect->y && x < rect->x + rect->width && y < rect->y + rect->height) return true;
  }
  return false;
}

void copy_picture(struct wl_shm_buffer *buffer, const Region *a, const Region *b, bool cursor, bool invert) {
  const uint32_t format = wl_shm_buffer_get_format(buffer);
  const int bytes = bytes_per_pixel(format), stride = wl_shm_buffer_get_stride(buffer);
  wl_shm_buffer_begin_access(buffer);
  uint8_t *data = wl_shm_buffer_get_data(buffer);
  for (int y = 0; y < compositor.height; ++y) {
    for (int x = 0; x < compositor.width; ++x) {
      int to_x = x, to_y = y;
      place(&to_x, &to_y);
      if (!holds(a, to_x, to_y) && !holds(b, to_x, to_y)) continue;
      if (invert) to_y = buffer_height() - 1 - to_y;
      const bool in_cursor = cursor && x >= 10 && x < 18 && y >= 20 && y < 32;
      const uint32_t word = encode_pixel(format, in_cursor ? 0xff00ff : compositor.picture[y * compositor.width + x]);
      memcpy(data + to_y * stride + to_x * bytes, &word, (size_t)bytes);  // little endian
    }
  }
  wl_shm_buffer_end_access(buffer);
}

struct noted {
  struct wl_listener destroyed;
};

static void forget_buffer(struct wl_listener *listener, void *data) {
  (void)data;
  compositor.buffers--;
  free(listener);
}

bool note_buffer(Resource *buffer) {
  if (wl_resource_get_destroy_listener(buffer, forget_buffer)) return false;
  struct noted *noted = calloc(1, sizeof *noted);
  noted->destroyed.notify = forget_buffer;
  wl_resource_add_destroy_listener(buffer, &noted->destroyed);
  compositor.buffers++;
  return true;
}

void destroy_resource(Client *client, Resource *resource) {
  (void)client;
  wl_resource_destroy(resource);
}
