// A screen for tests that PipeWire shows, as compositors do it: a node with buffers of its own, which gives a
// picture when something changed.
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct {
  int x, y, width, height;
} Area;

extern struct screen {
  int width, height;  // upright
  uint32_t *picture;  // 0xRRGGBB
  uint32_t format;    // enum wl_shm.format
  int transform;
  int margin;              // pixels around the picture in its buffers, told as a crop
  bool tells_damage;
  enum { SHARED_MEMORY, DMABUF, UNREADABLE_DMABUF } memory;
  bool silent;             // gives no picture when a stream begins
  int fixed_rate;          // instead of any up to 60
  // Seen so far:
  int pictures, streams;
} screen;

// Connects to PipeWire; false when it cannot be reached.
bool screen_connect(void);
// Makes the node; calls `ready` with its id.
void screen_show(void (*ready)(uint32_t node));
void screen_hide(void);
bool screen_shown(void);
void screen_fill(int width, int height, uint32_t seed);
void screen_paint(Area area, uint32_t colour);
// Whatever buffers are made from has changed.
void screen_reconfigure(void);
// Sends a buffer that has no picture in it.
void screen_send_empty(void);
