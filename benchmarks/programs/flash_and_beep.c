// Flashes and beeps at once, for 100 ms once a second.
// usage: flash_and_beep WIDTH HEIGHT
// Prints "beep LATENCY" each time: the microseconds after which the sound server plays it.
#include <X11/Xlib.h>
#include <pthread.h>
#include <pulse/error.h>
#include <pulse/simple.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RATE = 48000, BLOCK = RATE / 200, BEEP_BLOCKS = 20, TONE = 1000 };

static atomic_int beeping;  // blocks that are still to beep
static pa_simple *stream;

// Plays silence all the time, so that a beep has only one buffer's delay.
static void *play(void *unused) {
  int16_t silence[BLOCK] = {0}, tone[BLOCK];
  for (int i = 0; i < BLOCK; i++) tone[i] = i * 2 * TONE / RATE % 2 ? 20000 : -20000;
  for (;;) {
    const int16_t *block = silence;
    if (atomic_load(&beeping) > 0) {
      atomic_fetch_sub(&beeping, 1);
      block = tone;
    }
    int error;
    if (pa_simple_write(stream, block, sizeof silence, &error) < 0) {
      fprintf(stderr, "%s\n", pa_strerror(error));
      exit(1);
    }
  }
  return unused;
}

static void paint(Display *display, Window window, GC gc, unsigned long colour, int width, int height) {
  XSetForeground(display, gc, colour);
  XFillRectangle(display, window, gc, 0, 0, (unsigned)width, (unsigned)height);
  XSync(display, False);
}

int main(int argc, char **argv) {
  Display *display = argc == 3 ? XOpenDisplay(NULL) : NULL;
  if (!display) {
    fprintf(stderr, "usage: flash_and_beep WIDTH HEIGHT, with a display\n");
    return 2;
  }
  const int width = atoi(argv[1]), height = atoi(argv[2]), screen = DefaultScreen(display);
  const unsigned long black = BlackPixel(display, screen), white = WhitePixel(display, screen);
  const Window window = XCreateSimpleWindow(display, RootWindow(display, screen), 0, 0, (unsigned)width,
                                            (unsigned)height, 0, black, black);
  XMapWindow(display, window);
  const GC gc = XCreateGC(display, window, 0, NULL);
  const pa_sample_spec spec = {PA_SAMPLE_S16NE, RATE, 1};
  pa_buffer_attr buffer;
  memset(&buffer, 0xff, sizeof buffer);
  buffer.tlength = RATE / 100 * sizeof(int16_t);
  buffer.prebuf = 0;
  int error;
  stream = pa_simple_new(NULL, "Beeper", PA_STREAM_PLAYBACK, NULL, "beep", &spec, NULL, &buffer, &error);
  if (!stream) {
    fprintf(stderr, "%s\n", pa_strerror(error));
    return 1;
  }
  pthread_t player;
  pthread_create(&player, NULL, play, NULL);
  for (;;) {
    paint(display, window, gc, black, width, height);
    usleep(900000);
    paint(display, window, gc, white, width, height);
    atomic_store(&beeping, BEEP_BLOCKS);
    printf("beep %llu\n", (unsigned long long)pa_simple_get_latency(stream, &error));
    fflush(stdout);
    usleep(100000);
  }
}
