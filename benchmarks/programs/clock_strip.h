// The clock strip: the monotonic clock drawn as black and white cells along the top left of a screen, read back
// from a decoded stream. Writer and reader include this file, so that the two cannot disagree.
//
// Cells, left to right: white, black (the frame's own levels), 32 bits of Gray code (low bit first), even parity,
// white. A cell is CLOCK_CELL_PX source pixels square, so it is still 10 pixels wide on a screen scaled down 3.2 times.
// Gray code changes one cell per tick: a strip caught half way is off by one tick, never by thousands.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

enum { CLOCK_CELL_PX = 32, CLOCK_BITS = 32, CLOCK_CELLS = CLOCK_BITS + 4 };

// One tick is 0.1 ms; the counter wraps after five days, and differences are taken modulo 2^32.
static const double CLOCK_TICKS_PER_MS = 10.0;

static inline uint32_t clock_now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint32_t)((uint64_t)t.tv_sec * 10000u + (uint64_t)t.tv_nsec / 100000u);
}

static inline void clock_to_cells(uint32_t ticks, bool cells[CLOCK_CELLS]) {
  uint32_t gray = ticks ^ (ticks >> 1);
  bool parity = false;
  cells[0] = true;
  cells[1] = false;
  for (int bit = 0; bit < CLOCK_BITS; bit++) {
    bool on = (gray >> bit) & 1;
    cells[2 + bit] = on;
    parity ^= on;
  }
  cells[2 + CLOCK_BITS] = parity;
  cells[3 + CLOCK_BITS] = true;
}

// False when the markers or the parity are wrong: no strip there, or it is damaged.
static inline bool clock_from_cells(const bool cells[CLOCK_CELLS], uint32_t *ticks) {
  if (!cells[0] || cells[1] || !cells[CLOCK_CELLS - 1]) return false;
  uint32_t gray = 0;
  bool parity = false;
  for (int bit = 0; bit < CLOCK_BITS; bit++) {
    gray |= (uint32_t)cells[2 + bit] << bit;
    parity ^= cells[2 + bit];
  }
  if (parity != cells[2 + CLOCK_BITS]) return false;
  uint32_t value = gray;
  for (int shift = 1; shift < CLOCK_BITS; shift <<= 1) value ^= value >> shift;
  *ticks = value;
  return true;
}
