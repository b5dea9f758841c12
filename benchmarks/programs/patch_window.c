// Shows a screen that is drawn piece by piece, over the whole display.
// usage: patch_window
// Prints "ready". Reads pieces from standard input: a line "X Y WIDTH HEIGHT" and WIDTH x HEIGHT pixels of 4 bytes (blue,
// green, red, unused). After each it prints "shown N" once the X server has it: only that piece is damaged.
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST = 16384 };

int main(void) {
  Display *display = XOpenDisplay(NULL);
  if (!display || DefaultDepth(display, DefaultScreen(display)) != 24) {
    fprintf(stderr, "patch_window: no display of 24 bits\n");
    return 1;
  }
  int screen = DefaultScreen(display);
  unsigned screen_width = (unsigned)DisplayWidth(display, screen), screen_height = (unsigned)DisplayHeight(display, screen);
  XSetWindowAttributes attributes = {.override_redirect = True, .background_pixel = 0xffffff};
  Window window = XCreateWindow(display, DefaultRootWindow(display), 0, 0, screen_width, screen_height, 0, CopyFromParent,
                                InputOutput, CopyFromParent, CWOverrideRedirect | CWBackPixel, &attributes);
  XMapRaised(display, window);
  GC gc = XCreateGC(display, window, 0, NULL);
  XSync(display, False);
  puts("ready");
  fflush(stdout);
  char line[64];
  int x, y, width, height;
  for (unsigned n = 1; fgets(line, sizeof line, stdin) && sscanf(line, "%d %d %d %d", &x, &y, &width, &height) == 4; n++) {
    if (width < 1 || height < 1 || width > MOST || height > MOST) return 2;
    size_t size = (size_t)width * (size_t)height * 4;
    char *pixels = malloc(size);
    if (!pixels || fread(pixels, 1, size, stdin) != size) return 1;
    XImage *image = XCreateImage(display, DefaultVisual(display, screen), 24, ZPixmap, 0, pixels, (unsigned)width,
                                 (unsigned)height, 32, width * 4);
    XPutImage(display, window, gc, image, 0, 0, x, y, (unsigned)width, (unsigned)height);
    XSync(display, False);
    XDestroyImage(image);
    printf("shown %u\n", n);
    fflush(stdout);
  }
  return 0;
}
