#define _GNU_SOURCE
#include "screen.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <pipewire/pipewire.h>
#include <spa/param/video/format-utils.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wayland-client-protocol.h>

#include "../pixels.h"

#define MOST_REGIONS 8
#define INTERVAL_US 16667
#define LINEAR 0
#define TILED 0x0100000000000001

struct screen screen = {.format = WL_SHM_FORMAT_XRGB8888, .tells_damage = true};

static struct pw_loop *loop;
static struct pw_core *core;
static struct pw_stream *stream;
static struct spa_hook stream_hook;
static void (*on_ready)(uint32_t node);
static bool streaming, linked, fixated;
// What buffers are made for; while it differs from what is shown there are none to write to.
static struct {
  uint32_t format;
  int width, height;
} agreed;
static Area changed[MOST_REGIONS];
static int change_count;  // more than MOST_REGIONS: everything changed
static bool pending;
static guint retry, nudging;
static gint64 last_sent_us;
static uint64_t sequence;

static const struct {
  uint32_t shm;
  enum spa_video_format spa;
} formats[] = {
    {WL_SHM_FORMAT_XRGB8888, SPA_VIDEO_FORMAT_BGRx},        {WL_SHM_FORMAT_ARGB8888, SPA_VIDEO_FORMAT_BGRA},
    {WL_SHM_FORMAT_XBGR8888, SPA_VIDEO_FORMAT_RGBx},        {WL_SHM_FORMAT_ABGR8888, SPA_VIDEO_FORMAT_RGBA},
    {WL_SHM_FORMAT_RGBX8888, SPA_VIDEO_FORMAT_xBGR},        {WL_SHM_FORMAT_BGRX8888, SPA_VIDEO_FORMAT_xRGB},
    {WL_SHM_FORMAT_RGB888, SPA_VIDEO_FORMAT_BGR},           {WL_SHM_FORMAT_BGR888, SPA_VIDEO_FORMAT_RGB},
    {WL_SHM_FORMAT_XRGB2101010, SPA_VIDEO_FORMAT_xRGB_210LE}, {WL_SHM_FORMAT_XBGR2101010, SPA_VIDEO_FORMAT_xBGR_210LE},
    {WL_SHM_FORMAT_YUYV, SPA_VIDEO_FORMAT_YUY2},
};

static bool turned(void) { return screen.transform & 1; }
static int picture_width(void) { return turned() ? screen.height : screen.width; }
static int picture_height(void) { return turned() ? screen.width : screen.height; }
static int buffer_width(void) { return picture_width() + 2 * screen.margin; }
static int buffer_height(void) { return picture_height() + 2 * screen.margin; }
// Longer than a row, as a GPU likes it.
static int stride(void) { return (buffer_width() * bytes_per_pixel(screen.format) + 63) / 64 * 64; }

static enum spa_video_format spa_format(void) {
  for (size_t i = 0; i < SPA_N_ELEMENTS(formats); ++i) {
    if (formats[i].shm == screen.format) return formats[i].spa;
  }
  abort();
}

// --- what is offered

enum modifiers { NONE, ANY, FIXED };

static const struct spa_pod *format_pod(struct spa_pod_builder *builder, enum modifiers modifiers) {
  struct spa_pod_frame object, choice;
  const struct spa_rectangle size = {(uint32_t)buffer_width(), (uint32_t)buffer_height()};
  const struct spa_fraction variable = {0, 1}, slowest = {1, 1}, fastest = {60, 1},
                            fixed = {(uint32_t)screen.fixed_rate, 1};
  spa_pod_builder_push_object(builder, &object, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat);
  spa_pod_builder_add(builder, SPA_FORMAT_mediaType, SPA_POD_Id(SPA_MEDIA_TYPE_video), SPA_FORMAT_mediaSubtype,
                      SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format, SPA_POD_Id(spa_format()),
                      SPA_FORMAT_VIDEO_size, SPA_POD_Rectangle(&size), SPA_FORMAT_VIDEO_framerate,
                      SPA_POD_Fraction(&variable), 0);
  if (screen.fixed_rate) {
    spa_pod_builder_add(builder, SPA_FORMAT_VIDEO_maxFramerate, SPA_POD_Fraction(&fixed), 0);
  } else {
    spa_pod_builder_add(builder, SPA_FORMAT_VIDEO_maxFramerate,
                        SPA_POD_CHOICE_RANGE_Fraction(&fastest, &slowest, &fastest), 0);
  }
  if (modifiers == FIXED) {
    spa_pod_builder_prop(builder, SPA_FORMAT_VIDEO_modifier, SPA_POD_PROP_FLAG_MANDATORY);
    spa_pod_builder_long(builder, LINEAR);
  } else if (modifiers == ANY) {
    spa_pod_builder_prop(builder, SPA_FORMAT_VIDEO_modifier,
                         SPA_POD_PROP_FLAG_MANDATORY | SPA_POD_PROP_FLAG_DONT_FIXATE);
    spa_pod_builder_push_choice(builder, &choice, SPA_CHOICE_Enum, 0);
    spa_pod_builder_long(builder, TILED);
    spa_pod_builder_long(builder, TILED);
    spa_pod_builder_long(builder, LINEAR);
    spa_pod_builder_pop(builder, &choice);
  }
  return spa_pod_builder_pop(builder, &object);
}

// Modifiers first, as long as they are to be had.
static uint32_t format_pods(struct spa_pod_builder *builder, const struct spa_pod **pods, bool fixate) {
  uint32_t count = 0;
  if (fixate) pods[count++] = format_pod(builder, FIXED);
  if (screen.memory != SHARED_MEMORY) pods[count++] = format_pod(builder, ANY);
  pods[count++] = format_pod(builder, NONE);
  return count;
}

static void offer_buffers(bool dmabuf) {
  uint8_t memory[2048];
  struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof memory);
  const struct spa_pod *pods[8];
  uint32_t count = 0;
  const int types = 1 << (dmabuf ? SPA_DATA_DmaBuf : SPA_DATA_MemFd);
  pods[count++] = spa_pod_builder_add_object(
      &builder, SPA_TYPE_OBJECT_ParamBuffers, SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_buffers,
      SPA_POD_CHOICE_RANGE_Int(4, 2, 8), SPA_PARAM_BUFFERS_blocks, SPA_POD_Int(1), SPA_PARAM_BUFFERS_size,
      SPA_POD_Int(stride() * buffer_height()), SPA_PARAM_BUFFERS_stride, SPA_POD_Int(stride()),
      SPA_PARAM_BUFFERS_dataType, SPA_POD_CHOICE_FLAGS_Int(types));
  const struct {
    uint32_t type, size;
  } metas[] = {{SPA_META_Header, sizeof(struct spa_meta_header)},
               {SPA_META_VideoCrop, sizeof(struct spa_meta_region)},
               {SPA_META_VideoTransform, sizeof(struct spa_meta_videotransform)},
               {SPA_META_VideoDamage, sizeof(struct spa_meta_region) * MOST_REGIONS}};
  for (size_t i = 0; i < SPA_N_ELEMENTS(metas); ++i) {
    if (metas[i].type == SPA_META_VideoDamage && !screen.tells_damage) continue;
    pods[count++] = spa_pod_builder_add_object(&builder, SPA_TYPE_OBJECT_ParamMeta, SPA_PARAM_Meta, SPA_PARAM_META_type,
                                               SPA_POD_Id(metas[i].type), SPA_PARAM_META_size,
                                               SPA_POD_Int((int)metas[i].size));
  }
  pw_stream_update_params(stream, pods, count);
}

// --- pictures

static Area everything(void) { return (Area){0, 0, screen.width, screen.height}; }

// A rectangle of the upright picture in a buffer.
static struct spa_region in_buffer(Area area) {
  int x1 = area.x, y1 = area.y, x2 = area.x + area.width - 1, y2 = area.y + area.height - 1;
  place_pixel(screen.width, screen.height, screen.transform, &x1, &y1);
  place_pixel(screen.width, screen.height, screen.transform, &x2, &y2);
  return SPA_REGION(SPA_MIN(x1, x2) + screen.margin, SPA_MIN(y1, y2) + screen.margin, (uint32_t)abs(x2 - x1) + 1,
                    (uint32_t)abs(y2 - y1) + 1);
}

static void write_pixels(uint8_t *pixels) {
  const int bytes = bytes_per_pixel(screen.format);
  memset(pixels, 0x77, (size_t)stride() * (size_t)buffer_height());
  for (int y = 0; y < screen.height; ++y) {
    for (int x = 0; x < screen.width; ++x) {
      int to_x = x, to_y = y;
      place_pixel(screen.width, screen.height, screen.transform, &to_x, &to_y);
      const uint32_t word = encode_pixel(screen.format, screen.picture[y * screen.width + x]);
      memcpy(pixels + (to_y + screen.margin) * stride() + (to_x + screen.margin) * bytes, &word, (size_t)bytes);
    }
  }
}

static void write_metadata(struct spa_buffer *buffer) {
  struct spa_meta_region *crop = spa_buffer_find_meta_data(buffer, SPA_META_VideoCrop, sizeof *crop);
  if (crop) crop->region = in_buffer(everything());
  struct spa_meta_videotransform *transform =
      spa_buffer_find_meta_data(buffer, SPA_META_VideoTransform, sizeof *transform);
  if (transform) transform->transform = (uint32_t)screen.transform;
  struct spa_meta *damage = spa_buffer_find_meta(buffer, SPA_META_VideoDamage);
  if (!damage) return;
  struct spa_meta_region *region;
  int at = 0;
  spa_meta_for_each(region, damage) {
    if (change_count > MOST_REGIONS) {
      region->region = at++ == 0 ? in_buffer(everything()) : SPA_REGION(0, 0, 0, 0);
    } else {
      region->region = at < change_count ? in_buffer(changed[at]) : SPA_REGION(0, 0, 0, 0);
      ++at;
    }
  }
}

static struct spa_meta_header *begin(struct pw_buffer *buffer) {
  struct spa_meta_header *header = spa_buffer_find_meta_data(buffer->buffer, SPA_META_Header, sizeof *header);
  if (header) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    *header = (struct spa_meta_header){.pts = SPA_TIMESPEC_TO_NSEC(&now), .seq = ++sequence};
  }
  return header;
}

static bool agrees(void) {
  return agreed.format == screen.format && agreed.width == buffer_width() && agreed.height == buffer_height();
}

static gboolean nudge(gpointer data) {
  (void)data;
  struct pw_time time;
  if (!stream || pw_stream_get_time_n(stream, &time, sizeof time) < 0 || time.queued_buffers == 0) {
    nudging = 0;
    return G_SOURCE_REMOVE;
  }
  pw_stream_trigger_process(stream);
  return G_SOURCE_CONTINUE;
}

// What is queued while the picture before it is still under way, as on a busy machine, waits for the next cycle, which
// nobody else would begin.
static void deliver(struct pw_buffer *buffer) {
  pw_stream_queue_buffer(stream, buffer);
  if (!nudging) nudging = g_timeout_add(10, nudge, NULL);
}

static void send(void);

static gboolean send_again(gpointer data) {
  (void)data;
  retry = 0;
  send();
  return G_SOURCE_REMOVE;
}

// Compositors draw at their monitor's rate: what comes faster would wait in PipeWire for the next picture.
static bool too_early(void) {
  const gint64 wait_us = last_sent_us + INTERVAL_US - g_get_monotonic_time();
  if (wait_us > 0 && !retry) retry = g_timeout_add((guint)(wait_us / 1000) + 1, send_again, NULL);
  return wait_us > 0;
}

static void send(void) {
  if (!pending || !streaming || !agrees() || too_early()) return;
  struct pw_buffer *buffer = pw_stream_dequeue_buffer(stream);
  if (!buffer) {
    if (!retry) retry = g_timeout_add(5, send_again, NULL);
    return;
  }
  begin(buffer);
  write_pixels(buffer->user_data);
  write_metadata(buffer->buffer);
  struct spa_data *data = &buffer->buffer->datas[0];
  *data->chunk = (struct spa_chunk){.size = data->maxsize, .stride = stride()};
  pending = false;
  change_count = 0;
  ++screen.pictures;
  last_sent_us = g_get_monotonic_time();
  deliver(buffer);
}

void screen_send_empty(void) {
  struct pw_buffer *buffer = streaming ? pw_stream_dequeue_buffer(stream) : NULL;
  if (!buffer) return;
  struct spa_meta_header *header = begin(buffer);
  if (header) header->flags = SPA_META_HEADER_FLAG_CORRUPTED;
  memset(buffer->user_data, 0, (size_t)stride() * (size_t)buffer_height());
  *buffer->buffer->datas[0].chunk = (struct spa_chunk){.size = 0, .stride = stride(), .flags = SPA_CHUNK_FLAG_CORRUPTED};
  deliver(buffer);
}

static void note(Area area) {
  if (change_count < MOST_REGIONS) changed[change_count] = area;
  ++change_count;
  pending = true;
  send();
}

static void note_all(void) {
  change_count = MOST_REGIONS;
  note(everything());
}

void screen_fill(int width, int height, uint32_t seed) {
  const bool resized = width != screen.width || height != screen.height;
  screen.width = width;
  screen.height = height;
  screen.picture = realloc(screen.picture, sizeof(uint32_t) * (size_t)width * (size_t)height);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) screen.picture[y * width + x] = noise_pixel((uint32_t)x, (uint32_t)y, seed);
  }
  if (resized) {
    screen_reconfigure();
  } else {
    note_all();
  }
}

void screen_paint(Area area, uint32_t colour) {
  for (int y = area.y; y < area.y + area.height; ++y) {
    for (int x = area.x; x < area.x + area.width; ++x) screen.picture[y * screen.width + x] = colour;
  }
  note(area);
}

// --- the stream

static void on_state(void *data, enum pw_stream_state old, enum pw_stream_state state, const char *error) {
  (void)data, (void)old;
  if (error) fprintf(stderr, "stream: %s\n", error);
  streaming = state == PW_STREAM_STATE_STREAMING;
  if (state == PW_STREAM_STATE_PAUSED && on_ready) {
    on_ready(pw_stream_get_node_id(stream));
    on_ready = NULL;
  }
  if (!streaming) return;
  if (!linked) ++screen.streams;
  linked = true;
  if (screen.silent && !pending) return;
  change_count = MOST_REGIONS;
  note(everything());
}

static void on_param(void *data, uint32_t id, const struct spa_pod *pod) {
  (void)data;
  if (id != SPA_PARAM_Format || !pod) return;
  const struct spa_pod_prop *modifier = spa_pod_find_prop(pod, NULL, SPA_FORMAT_VIDEO_modifier);
  if (modifier && modifier->flags & SPA_POD_PROP_FLAG_DONT_FIXATE) {
    uint8_t memory[4096];
    struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof memory);
    const struct spa_pod *pods[3];
    const uint32_t count = format_pods(&builder, pods, true);
    pw_stream_update_params(stream, pods, count);
    return;
  }
  struct spa_video_info_raw info = {0};
  spa_format_video_raw_parse(pod, &info);
  agreed.format = info.format == spa_format() ? screen.format : UINT32_MAX;
  agreed.width = (int)info.size.width;
  agreed.height = (int)info.size.height;
  fixated = modifier != NULL;
  offer_buffers(fixated);
  if (!screen.silent) pending = true;
}

static void on_add_buffer(void *data, struct pw_buffer *buffer) {
  (void)data;
  const size_t size = (size_t)stride() * (size_t)buffer_height();
  struct spa_data *spa = &buffer->buffer->datas[0];
  const int fd = memfd_create("screen", MFD_CLOEXEC);
  if (fd < 0 || ftruncate(fd, (off_t)size) < 0) abort();
  buffer->user_data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  spa->type = fixated ? SPA_DATA_DmaBuf : SPA_DATA_MemFd;
  spa->fd = fd;
  if (fixated && screen.memory == UNREADABLE_DMABUF) {
    char path[64];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    spa->fd = open(path, O_WRONLY | O_CLOEXEC);
    close(fd);
  }
  spa->maxsize = (uint32_t)size;
  spa->mapoffset = 0;
  spa->flags = SPA_DATA_FLAG_READWRITE;
  if (!retry) retry = g_timeout_add(5, send_again, NULL);
}

static void on_remove_buffer(void *data, struct pw_buffer *buffer) {
  (void)data;
  munmap(buffer->user_data, buffer->buffer->datas[0].maxsize);
  close((int)buffer->buffer->datas[0].fd);
}

static const struct pw_stream_events stream_events = {
    .version = PW_VERSION_STREAM_EVENTS,
    .state_changed = on_state,
    .param_changed = on_param,
    .add_buffer = on_add_buffer,
    .remove_buffer = on_remove_buffer,
};

void screen_show(void (*ready)(uint32_t node)) {
  pending = !screen.silent;
  on_ready = ready;
  linked = false;
  stream = pw_stream_new(core, "test screen", pw_properties_new(PW_KEY_MEDIA_CLASS, "Video/Source", NULL));
  pw_stream_add_listener(stream, &stream_hook, &stream_events, NULL);
  uint8_t memory[4096];
  struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof memory);
  const struct spa_pod *pods[3];
  const uint32_t count = format_pods(&builder, pods, false);
  pw_stream_connect(stream, PW_DIRECTION_OUTPUT, PW_ID_ANY, PW_STREAM_FLAG_DRIVER | PW_STREAM_FLAG_ALLOC_BUFFERS, pods,
                    count);
}

void screen_hide(void) {
  if (stream) pw_stream_destroy(stream);
  stream = NULL;
  streaming = false;
}

bool screen_shown(void) { return stream; }

void screen_reconfigure(void) {
  change_count = MOST_REGIONS + 1;
  pending = true;
  if (!stream || agrees()) {
    send();
    return;
  }
  uint8_t memory[4096];
  struct spa_pod_builder builder = SPA_POD_BUILDER_INIT(memory, sizeof memory);
  const struct spa_pod *pods[3];
  const uint32_t count = format_pods(&builder, pods, false);
  pw_stream_update_params(stream, pods, count);
}

static gboolean iterate(gint fd, GIOCondition condition, gpointer data) {
  (void)fd, (void)condition, (void)data;
  pw_loop_iterate(loop, 0);
  return G_SOURCE_CONTINUE;
}

bool screen_connect(void) {
  pw_init(NULL, NULL);
  loop = pw_loop_new(NULL);
  pw_loop_enter(loop);
  core = pw_context_connect(pw_context_new(loop, NULL, 0), NULL, 0);
  if (!core) return false;
  g_unix_fd_add(pw_loop_get_fd(loop), G_IO_IN, iterate, NULL);
  return true;
}
