// Draws the clock strip in a window over a still or a changing background.
// usage: clock_window WIDTH HEIGHT still|box|full [DRAWS_PER_SECOND] [SEED]
//
//   still  nothing changes but the strip, about once a second
//   box    a 200 pixel box moves along a band in the middle
//   full   every pixel below the strip changes with every draw
//
// 61 draws a second unless told otherwise: a rate that is no multiple of the usual 30 frames a second lets the phase
// between draw and capture sweep its whole range every second, where 60 would freeze it at a random value per run.
// Prints "ready" after the first draw.
#include <X11/Xlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock_strip.h"

enum { BOX_PX = 200, BOX_STEP_PX = 8, BAR_PX = 8, PICTURES = 7 };

typedef struct {
  Display *display;
  Window window;
  GC gc;
  Pixmap strip;
  Pixmap pictures[PICTURES];
  int width, height;
} Scene;

static uint32_t next_random(uint32_t *state) {  // xorshift32
  *state ^= *state << 13;
  *state ^= *state >> 17;
  *state ^= *state << 5;
  return *state;
}

static void fill(Scene *s, Drawable d, unsigned long colour, int x, int y, int width, int height) {
  XSetForeground(s->display, s->gc, colour);
  XFillRectangle(s->display, d, s->gc, x, y, (unsigned)width, (unsigned)height);
}

// The strip is drawn aside and copied in one request, so that no capture can see a half-drawn one.
static void draw_strip(Scene *s) {
  bool cells[CLOCK_CELLS];
  clock_to_cells(clock_now(), cells);
  for (int i = 0; i < CLOCK_CELLS; i++)
    fill(s, s->strip, cells[i] ? 0xffffff : 0x000000, i * CLOCK_CELL_PX, 0, CLOCK_CELL_PX, CLOCK_CELL_PX);
  XCopyArea(s->display, s->strip, s->window, s->gc, 0, 0, CLOCK_CELLS * CLOCK_CELL_PX, CLOCK_CELL_PX, 0, 0);
  XFlush(s->display);
}

static void draw_box(Scene *s, unsigned n) {
  int y = s->height / 2, travel = s->width - BOX_PX;
  int x = (int)(n * BOX_STEP_PX % (unsigned)travel);
  fill(s, s->window, 0x808080, 0, y, s->width, BOX_PX);
  fill(s, s->window, 0x2060c0, x, y, BOX_PX, BOX_PX);
}

static void draw_picture(Scene *s, unsigned n) {
  int top = 2 * CLOCK_CELL_PX;
  XCopyArea(s->display, s->pictures[n % PICTURES], s->window, s->gc, 0, 0, (unsigned)s->width,
            (unsigned)(s->height - top), 0, top);
}

// Bars of random colours, all drawn beforehand: drawing them each time would cost more than capturing them.
static void paint_pictures(Scene *s, uint32_t seed) {
  for (int i = 0; i < PICTURES; i++) {
    s->pictures[i] = XCreatePixmap(s->display, s->window, (unsigned)s->width, (unsigned)s->height, 24);
    for (int y = 0; y < s->height; y += BAR_PX)
      fill(s, s->pictures[i], next_random(&seed) & 0xffffff, 0, y, s->width, BAR_PX);
  }
}

static void open_window(Scene *s) {
  XSetWindowAttributes attributes = {.override_redirect = True, .background_pixel = 0x808080};
  s->window = XCreateWindow(s->display, DefaultRootWindow(s->display), 0, 0, (unsigned)s->width, (unsigned)s->height, 0,
                            CopyFromParent, InputOutput, CopyFromParent, CWOverrideRedirect | CWBackPixel, &attributes);
  XStoreName(s->display, s->window, "clock");
  XSelectInput(s->display, s->window, ExposureMask);
  XMapRaised(s->display, s->window);
  s->gc = XCreateGC(s->display, s->window, 0, NULL);
  XSetGraphicsExposures(s->display, s->gc, False);
  s->strip = XCreatePixmap(s->display, s->window, CLOCK_CELLS * CLOCK_CELL_PX, CLOCK_CELL_PX, 24);
  XEvent event;
  XWindowEvent(s->display, s->window, ExposureMask, &event);
}

static int usage(void) {
  fprintf(stderr, "usage: clock_window WIDTH HEIGHT still|box|full [DRAWS_PER_SECOND] [SEED]\n");
  return 2;
}

int main(int argc, char **argv) {
  if (argc < 4) return usage();
  Scene scene = {.width = atoi(argv[1]), .height = atoi(argv[2])};
  const char *mode = argv[3];
  bool box = !strcmp(mode, "box"), full = !strcmp(mode, "full"), still = !strcmp(mode, "still");
  double rate = argc > 4 ? atof(argv[4]) : still ? 0.9798 : 61;
  uint32_t seed = argc > 5 ? (uint32_t)atoi(argv[5]) : 1;
  if (!(box || full || still) || rate <= 0 || !seed || scene.width < CLOCK_CELLS * CLOCK_CELL_PX || scene.height < 400)
    return usage();
  if (!(scene.display = XOpenDisplay(NULL))) {
    fprintf(stderr, "clock_window: cannot open the display\n");
    return 1;
  }
  open_window(&scene);
  if (full) paint_pictures(&scene, seed);

  struct timespec next;
  clock_gettime(CLOCK_MONOTONIC, &next);
  for (unsigned n = 0;; n++) {
    if (box) draw_box(&scene, n);
    if (full) draw_picture(&scene, n);
    draw_strip(&scene);
    if (n == 0) {
      XSync(scene.display, False);
      printf("ready\n");
      fflush(stdout);
    }
    uint64_t at = (uint64_t)next.tv_nsec + (uint64_t)(1e9 / rate);
    next.tv_sec += (time_t)(at / 1000000000u);
    next.tv_nsec = (long)(at % 1000000000u);
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
  }
}
