// Draws on an X display what it is told on standard input, and says when the server has done it.
//
//   random SEED COUNT   COUNT random things: rectangles, text, windows made, moved, resized, closed
//   steady SEED COUNT MS  the same, one every MS milliseconds, and the pointer somewhere else with every third
//   pointer SEED COUNT  the pointer goes to COUNT random places
//   char X Y C          one character in a cell cleared first, at X, Y
//   quit
//
// Answers each line with "done". Same seed, same drawing.
#include <X11/Xlib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { WINDOWS = 6, CELL_WIDTH = 10, CELL_HEIGHT = 16 };

static Display *display;
static Window page, windows[WINDOWS];
static GC gc;
static int width, height;
static uint64_t state;

static uint32_t next(uint32_t below) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)(state >> 33) % below;
}

static void fill(Window window) {
  XSetForeground(display, gc, next(1 << 24));
  XFillRectangle(display, window, gc, (int)next((uint32_t)width), (int)next((uint32_t)height), 1 + next(300), 1 + next(200));
}

static void write_text(Window window) {
  char text[32];
  int length = 1 + (int)next(sizeof text - 1);
  for (int i = 0; i < length; i++) text[i] = (char)(33 + next(94));
  XSetForeground(display, gc, next(1 << 24));
  XDrawString(display, window, gc, (int)next((uint32_t)width), (int)next((uint32_t)height), text, length);
}

static void copy(void) {
  XCopyArea(display, page, page, gc, (int)next((uint32_t)width), (int)next((uint32_t)height), 1 + next(200), 1 + next(200),
            (int)next((uint32_t)width), (int)next((uint32_t)height));
}

static void change_window(void) {
  Window *window = &windows[next(WINDOWS)];
  if (!*window) {
    *window = XCreateSimpleWindow(display, DefaultRootWindow(display), (int)next((uint32_t)width), (int)next((uint32_t)height),
                                  1 + next(300), 1 + next(200), 1, 0, next(1 << 24));
    XMapRaised(display, *window);
    return;
  }
  switch (next(5)) {
    case 0:
      XMoveWindow(display, *window, (int)next((uint32_t)width) - 100, (int)next((uint32_t)height) - 50);
      break;
    case 1:
      XResizeWindow(display, *window, 1 + next(400), 1 + next(300));
      break;
    case 2:
      XRaiseWindow(display, *window);
      break;
    case 3:
      fill(*window);
      break;
    default:
      XDestroyWindow(display, *window);
      *window = 0;
  }
}

static void draw_randomly(int count) {
  for (int i = 0; i < count; i++) {
    switch (next(5)) {
      case 0:
        fill(page);
        break;
      case 1:
        write_text(page);
        break;
      case 2:
        copy();
        break;
      default:
        change_window();
    }
  }
}

static void move_pointer(void) {
  XWarpPointer(display, None, DefaultRootWindow(display), 0, 0, 0, 0, (int)next((uint32_t)width), (int)next((uint32_t)height));
}

static void draw_steadily(int count, int interval_ms) {
  const struct timespec pause = {interval_ms / 1000, interval_ms % 1000 * 1000000L};
  for (int i = 0; i < count; i++) {
    draw_randomly(1);
    if (i % 3 == 0) move_pointer();
    XSync(display, False);
    nanosleep(&pause, NULL);
  }
}

static void draw_char(int x, int y, char c) {
  XSetForeground(display, gc, 0xffffff);
  XFillRectangle(display, page, gc, x, y, CELL_WIDTH, CELL_HEIGHT);
  XSetForeground(display, gc, 0);
  XDrawString(display, page, gc, x + 1, y + CELL_HEIGHT - 4, &c, 1);
}

int main(void) {
  display = XOpenDisplay(NULL);
  if (!display) {
    fprintf(stderr, "cannot open the display\n");
    return 1;
  }
  width = DisplayWidth(display, DefaultScreen(display));
  height = DisplayHeight(display, DefaultScreen(display));
  XSetWindowAttributes attributes = {.override_redirect = True, .background_pixel = 0xffffff};
  page = XCreateWindow(display, DefaultRootWindow(display), 0, 0, (unsigned)width, (unsigned)height, 0, CopyFromParent,
                       InputOutput, CopyFromParent, CWOverrideRedirect | CWBackPixel, &attributes);
  XMapWindow(display, page);
  XGCValues values = {.graphics_exposures = False};
  gc = XCreateGC(display, page, GCGraphicsExposures, &values);
  XSync(display, False);
  puts("ready");
  fflush(stdout);
  char line[128];
  while (fgets(line, sizeof line, stdin)) {
    unsigned long seed;
    int count, x, y;
    char c;
    if (sscanf(line, "random %lu %d", &seed, &count) == 2) {
      state = seed * 2654435761u + 1;
      draw_randomly(count);
    } else if (sscanf(line, "pointer %lu %d", &seed, &count) == 2) {
      state = seed * 2654435761u + 1;
      for (int i = 0; i < count; i++) move_pointer();
    } else if (sscanf(line, "steady %lu %d %d", &seed, &count, &x) == 3) {
      state = seed * 2654435761u + 1;
      draw_steadily(count, x);
    } else if (sscanf(line, "char %d %d %c", &x, &y, &c) == 3) {
      draw_char(x, y, c);
    } else if (!strncmp(line, "quit", 4)) {
      break;
    }
    XSync(display, False);
    puts("done");
    fflush(stdout);
  }
  XCloseDisplay(display);
  return 0;
}
