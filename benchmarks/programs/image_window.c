// Shows pictures on a display, pixel for pixel, at the top left and above all windows.
// usage: image_window WIDTH HEIGHT
// Prints "window ID". Reads pictures from standard input, each WIDTH x HEIGHT pixels of 4 bytes (blue, green, red,
// unused). After each it prints "shown N" once the X server has it, and keeps showing the last one until it is killed.
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int width = argc == 3 ? atoi(argv[1]) : 0, height = argc == 3 ? atoi(argv[2]) : 0;
  if (width < 1 || height < 1 || width > 16384 || height > 16384) {
    fprintf(stderr, "usage: image_window WIDTH HEIGHT < pictures\n");
    return 2;
  }
  Display *display = XOpenDisplay(NULL);
  if (!display || DefaultDepth(display, DefaultScreen(display)) != 24) {
    fprintf(stderr, "image_window: no display of 24 bits\n");
    return 1;
  }
  XSetWindowAttributes attributes = {.override_redirect = True};
  Window window = XCreateWindow(display, DefaultRootWindow(display), 0, 0, (unsigned)width, (unsigned)height, 0,
                                CopyFromParent, InputOutput, CopyFromParent, CWOverrideRedirect, &attributes);
  XStoreName(display, window, "picture");
  printf("window 0x%lx\n", window);
  GC gc = XCreateGC(display, window, 0, NULL);
  size_t size = (size_t)width * (size_t)height * 4;
  char *pixels = malloc(size);
  XImage *image = XCreateImage(display, DefaultVisual(display, DefaultScreen(display)), 24, ZPixmap, 0, pixels,
                               (unsigned)width, (unsigned)height, 32, width * 4);
  // The picture is the window's background: the server repaints what was covered, without asking here.
  Pixmap picture = XCreatePixmap(display, window, (unsigned)width, (unsigned)height, 24);
  for (unsigned n = 1; fread(pixels, 1, size, stdin) == size; n++) {
    XPutImage(display, picture, gc, image, 0, 0, 0, 0, (unsigned)width, (unsigned)height);
    XSetWindowBackgroundPixmap(display, window, picture);
    XMapRaised(display, window);
    XClearWindow(display, window);
    XSync(display, False);
    printf("shown %u\n", n);
    fflush(stdout);
  }
  pause();
  return 0;
}
