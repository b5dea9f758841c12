// Plays an RTSP stream and reads the clock strip from every decoded frame. Prints one JSON object.
// usage: clock_reader play URL SOURCE_WIDTH tcp|udp SECONDS   ages of the frames of one connection
//        clock_reader join URL SOURCE_WIDTH tcp|udp TIMES     time to the first picture of each of several connections
//
// The age of a frame is the time from the drawing of the strip to the decoded frame's arrival here. `age_ms` counts
// every frame, `change_age_ms` only the first frame that shows a new strip: on a still screen only that has a meaning.
#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock_strip.h"

static const double AGE_LIMIT_MS = 20000;  // older than this is a misread strip
static const int JOIN_TIMEOUT_S = 20;

typedef struct {
  double source_width;
  int width, height;
  unsigned frames, unreadable;
  uint32_t started, first, last, code;
  GArray *ages, *change_ages;
} Reading;

static double ms_between(uint32_t from, uint32_t to) { return (int32_t)(to - from) / CLOCK_TICKS_PER_MS; }

// The luma at the middle of each cell; the threshold lies between the two marker cells' levels.
static bool read_strip(const GstVideoFrame *frame, double source_width, uint32_t *ticks) {
  const guint8 *luma = GST_VIDEO_FRAME_PLANE_DATA(frame, 0);
  int stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
  double scale = GST_VIDEO_FRAME_WIDTH(frame) / source_width;
  int levels[CLOCK_CELLS];
  bool cells[CLOCK_CELLS];
  for (int i = 0; i < CLOCK_CELLS; i++) {
    int x = (int)((i + 0.5) * CLOCK_CELL_PX * scale), y = (int)(0.5 * CLOCK_CELL_PX * scale);
    levels[i] = luma[y * stride + x];
  }
  if (levels[0] - levels[1] < 64) return false;
  for (int i = 0; i < CLOCK_CELLS; i++) cells[i] = levels[i] > (levels[0] + levels[1]) / 2;
  return clock_from_cells(cells, ticks);
}

static void take_frame(Reading *r, GstSample *sample, uint32_t now) {
  GstVideoInfo info;
  GstVideoFrame frame;
  if (!gst_video_info_from_caps(&info, gst_sample_get_caps(sample)) ||
      !gst_video_frame_map(&frame, &info, gst_sample_get_buffer(sample), GST_MAP_READ))
    return;
  uint32_t drawn = 0;
  bool readable = read_strip(&frame, r->source_width, &drawn);
  r->width = info.width;
  r->height = info.height;
  gst_video_frame_unmap(&frame);

  double age = ms_between(drawn, now);
  if (!readable || age < 0 || age > AGE_LIMIT_MS) {
    r->unreadable++;
    return;
  }
  if (r->frames++ == 0) r->first = now;
  r->last = now;
  g_array_append_val(r->ages, age);
  if (drawn != r->code) g_array_append_val(r->change_ages, age);
  r->code = drawn;
}

static GstElement *open_stream(const char *url, const char *protocol) {
  // One decoding thread: frame threads would hold frames back, and slice threads would make the reader's share of the
  // machine depend on how the encoder slices.
  char *description = g_strdup_printf(
      "rtspsrc name=source latency=0 protocols=%s ! rtph264depay ! h264parse ! avdec_h264 max-threads=1 ! "
      "video/x-raw,format=(string){I420,Y444,Y42B,NV12} ! appsink name=sink sync=false max-buffers=8",
      protocol);
  GError *error = NULL;
  GstElement *pipeline = gst_parse_launch(description, &error);
  g_free(description);
  if (error) {
    fprintf(stderr, "clock_reader: %s\n", error->message);
    exit(1);
  }
  GstElement *source = gst_bin_get_by_name(GST_BIN(pipeline), "source");
  g_object_set(source, "location", url, NULL);
  gst_object_unref(source);
  return pipeline;
}

static void fail_on_error(GstElement *pipeline) {
  GstBus *bus = gst_element_get_bus(pipeline);
  GstMessage *message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
  gst_object_unref(bus);
  if (!message) return;
  GError *error = NULL;
  gst_message_parse_error(message, &error, NULL);
  fprintf(stderr, "clock_reader: %s\n", error->message);
  exit(1);
}

// Reads until `seconds` have gone since the first frame, or until the first frame if `seconds` is 0.
static void read_frames(Reading *r, const char *url, const char *protocol, double seconds) {
  GstElement *pipeline = open_stream(url, protocol);
  GstAppSink *sink = GST_APP_SINK(gst_bin_get_by_name(GST_BIN(pipeline), "sink"));
  r->started = clock_now();
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  for (;;) {
    GstSample *sample = gst_app_sink_try_pull_sample(sink, 100 * GST_MSECOND);
    uint32_t now = clock_now();
    if (sample) {
      take_frame(r, sample, now);
      gst_sample_unref(sample);
    } else if (gst_app_sink_is_eos(sink)) {
      break;
    }
    fail_on_error(pipeline);
    double limit_ms = r->frames ? seconds * 1000 : JOIN_TIMEOUT_S * 1000.0;
    if (ms_between(r->frames ? r->first : r->started, now) >= limit_ms) break;
  }
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(sink);
  gst_object_unref(pipeline);
}

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void print_ages(const char *name, GArray *ages) {
  printf("\"%s\":", name);
  if (ages->len == 0) {
    printf("null");
    return;
  }
  double *age = (double *)(void *)ages->data;
  qsort(age, ages->len, sizeof *age, ascending);
  unsigned n = ages->len;
  printf("{\"count\":%u,\"p50\":%.1f,\"p95\":%.1f,\"p99\":%.1f,\"max\":%.1f}", n, age[n / 2], age[n * 95 / 100],
         age[n * 99 / 100], age[n - 1]);
}

static Reading new_reading(double source_width) {
  Reading r = {.source_width = source_width};
  r.ages = g_array_new(FALSE, FALSE, sizeof(double));
  r.change_ages = g_array_new(FALSE, FALSE, sizeof(double));
  return r;
}

static int play(const char *url, double source_width, const char *protocol, double seconds) {
  Reading r = new_reading(source_width);
  read_frames(&r, url, protocol, seconds);
  if (r.frames == 0) {
    fprintf(stderr, "clock_reader: no frame with a readable clock strip (%u unreadable)\n", r.unreadable);
    return 1;
  }
  double span_ms = ms_between(r.first, r.last);
  // The frames of the first tenth belong to the joining, which is measured by itself.
  g_array_remove_range(r.ages, 0, r.ages->len / 10);
  printf("{\"width\":%d,\"height\":%d,\"frames\":%u,\"unreadable\":%u,\"fps\":%.2f,\"first_frame_ms\":%.1f,", r.width,
         r.height, r.frames, r.unreadable, span_ms > 0 ? (r.frames - 1) * 1000 / span_ms : 0,
         ms_between(r.started, r.first));
  print_ages("age_ms", r.ages);
  printf(",");
  if (r.change_ages->len > 1) g_array_remove_index(r.change_ages, 0);  // drawn before the connection
  print_ages("change_age_ms", r.change_ages);
  printf("}\n");
  return 0;
}

static int join(const char *url, double source_width, const char *protocol, int times) {
  printf("{\"first_frame_ms\":[");
  for (int i = 0; i < times; i++) {
    Reading r = new_reading(source_width);
    read_frames(&r, url, protocol, 0);
    if (r.frames == 0) {
      fprintf(stderr, "clock_reader: no picture within %d s\n", JOIN_TIMEOUT_S);
      return 1;
    }
    printf("%s%.1f", i ? "," : "", ms_between(r.started, r.first));
    g_array_unref(r.ages);
    g_array_unref(r.change_ages);
    g_usleep((gulong)(370000 + 110000 * (i % 5)));  // joins fall on changing phases of the stream's key frames
  }
  printf("]}\n");
  return 0;
}

// Loading plug-ins from disk takes longer than joining does, and says nothing about the server.
static void load_plugins(void) {
  const char *names[] = {"rtspsrc", "rtpbin", "rtpjitterbuffer", "udpsrc", "udpsink", "rtph264depay", "h264parse",
                         "avdec_h264", "appsink"};
  for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
    GstElement *element = gst_element_factory_make(names[i], NULL);
    if (!element) {
      fprintf(stderr, "clock_reader: GStreamer has no element %s\n", names[i]);
      exit(1);
    }
    gst_object_unref(element);
  }
}

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc != 6) {
    fprintf(stderr, "usage: clock_reader play|join URL SOURCE_WIDTH tcp|udp SECONDS|TIMES\n");
    return 2;
  }
  load_plugins();
  if (!strcmp(argv[1], "join")) return join(argv[2], atof(argv[3]), argv[4], atoi(argv[5]));
  return play(argv[2], atof(argv[3]), argv[4], atof(argv[5]));
}
