// A compositor for tests: one monitor and one window, both showing one picture, that can be captured.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "../pixels.h"
#include "protocols.h"

#define MOST_RECTS 64

typedef struct {
  int x, y, width, height;
} Area;

// Rectangles of the buffer; too many become one.
typedef struct {
  Area rects[MOST_RECTS];
  int count;
} Region;

// What the compositor shows, and how it behaves.
extern struct compositor {
  struct wl_display *display;
  int width, height;  // upright
  int transform;
  uint32_t *picture;  // 0xRRGGBB
  uint32_t formats[16];
  int format_count;
  int extra_stride;  // screencopy: bytes after each row
  bool y_invert;     // screencopy
  bool hold;         // copies never come
  int fail_reason, fail_count;
  // Seen so far:
  int copies, violations, buffers, frames, sessions;
} compositor;

// picture.c
int buffer_width(void);
int buffer_height(void);
Area whole_buffer(void);
// A rectangle of the upright picture in the buffer.
Area in_buffer(Area upright);
void fill_picture(int width, int height, uint32_t seed);
void paint(Area upright, uint32_t colour);
void add_area(Region *region, Area area);
// Copies the regions of the picture, and of the cursor if there is one, into a buffer; others stay as they are.
void copy_picture(struct wl_shm_buffer *buffer, const Region *a, const Region *b, bool cursor, bool invert);
// Counts a buffer from its first use to its end. Whether this is the first.
bool note_buffer(Resource *buffer);

// image_copy.c and screencopy.c: their globals, and what happens to captures under way when
void offer_image_copy(void);
void image_copy_changed(Area upright);
void image_copy_reconfigured(bool new_constraints);
void image_copy_stop(bool windows_only);
void image_copy_refuse(void);
void offer_screencopy(void);
void screencopy_changed(Area upright);
void screencopy_reconfigured(void);

void destroy_resource(Client *client, Resource *resource);
