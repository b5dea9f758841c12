#include "x11_source.h"

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <optional>

#include "access_unit_hub.h"
#include "capture_pacer.h"
#include "frame_meta.h"
#include "frame_stamper.h"
#include "shared_picture.h"
#include "x11_grabber.h"

namespace cap {

namespace {

struct State {
  X11Grabber::Options options;
  unsigned keep_alive_ms = 1000;
  int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::atomic<bool> flushing{false}, refresh{false};

  // Of the streaming thread:
  std::unique_ptr<X11Grabber> grabber;
  std::unique_ptr<SharedPicture> picture;
  std::unique_ptr<CapturePacer> pacer;
  int fps_n = 30, fps_d = 1;
  uint64_t last_frame_ns = 0;

  ~State() { close(wake); }
};

struct Source {
  GstPushSrc parent;
  State* state;
};

struct SourceClass {
  GstPushSrcClass parent_class;
};

enum { kPropDisplay = 1, kPropX, kPropY, kPropWidth, kPropHeight, kPropWindow, kPropCursor, kPropKeepAlive };

G_DEFINE_TYPE(Source, source, GST_TYPE_PUSH_SRC)

State& StateOf(void* self) { return *reinterpret_cast<Source*>(self)->state; }

void Wake(State& state) {
  const uint64_t one = 1;
  (void)!write(state.wake, &one, sizeof one);
}

gboolean Start(GstBaseSrc* base) {
  State& state = StateOf(base);
  std::string reason;
  state.grabber = X11Grabber::Open(state.options, reason);
  if (!state.grabber) {
    GST_ELEMENT_ERROR(base, RESOURCE, OPEN_READ, ("%s", reason.c_str()), (nullptr));
    return FALSE;
  }
  state.picture.reset();
  state.last_frame_ns = 0;
  return TRUE;
}

gboolean Stop(GstBaseSrc* base) {
  StateOf(base).grabber.reset();
  StateOf(base).picture.reset();
  return TRUE;
}

GstCaps* GetCaps(GstBaseSrc* base, GstCaps* filter) {
  State& state = StateOf(base);
  GstCaps* caps = gst_pad_get_pad_template_caps(GST_BASE_SRC_PAD(base));
  if (state.grabber) {
    caps = gst_caps_make_writable(caps);
    gst_caps_set_simple(caps, "width", G_TYPE_INT, state.grabber->width(), "height", G_TYPE_INT,
                        state.grabber->height(), nullptr);
  }
  if (!filter) return caps;
  GstCaps* both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return both;
}

GstCaps* Fixate(GstBaseSrc* base, GstCaps* caps) {
  caps = gst_caps_make_writable(caps);
  gst_structure_fixate_field_nearest_fraction(gst_caps_get_structure(caps, 0), "framerate", 30, 1);
  return GST_BASE_SRC_CLASS(source_parent_class)->fixate(base, caps);
}

gboolean SetCaps(GstBaseSrc* base, GstCaps* caps) {
  State& state = StateOf(base);
  gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate", &state.fps_n, &state.fps_d);
  state.pacer = std::make_unique<CapturePacer>(
      gst_util_uint64_scale(GST_SECOND, static_cast<guint64>(state.fps_d), static_cast<guint64>(state.fps_n)));
  return TRUE;
}

// Sleeps until `deadline_ns` or a wake-up; also until an X event, unless deaf to them.
void WaitUntil(State& state, uint64_t deadline_ns, bool deaf = false) {
  const uint64_t now = MonotonicNs();
  if (deadline_ns <= now) return;
  const uint64_t left = deadline_ns - now;
  const timespec timeout{static_cast<time_t>(left / 1000000000), static_cast<long>(left % 1000000000)};
  pollfd fds[2] = {{state.wake, POLLIN, 0}, {state.grabber->fd(), POLLIN, 0}};
  if (ppoll(fds, deaf ? 1 : 2, &timeout, nullptr) > 0 && fds[0].revents) {
    uint64_t count;
    (void)!read(state.wake, &count, sizeof count);
  }
}

// How often an idle screen's pointer is looked at.
constexpr uint64_t kPointerCheckNs = 100000000;

enum class Reason { kDamage, kKeepAlive, kResized, kLost, kFlushing };

// Waits until there is a reason to make a frame.
Reason WaitForFrame(State& state) {
  for (;;) {
    if (state.flushing) return Reason::kFlushing;
    const X11Grabber::News news = state.grabber->Poll();
    const uint64_t now = MonotonicNs();
    if (news.lost) return Reason::kLost;
    if (news.resized) return Reason::kResized;
    if (news.damaged) {
      state.grabber->Collect();
      state.pacer->Damaged(now);
    }
    if (state.refresh.exchange(false)) return state.pacer->pending() ? Reason::kDamage : Reason::kKeepAlive;
    if (state.pacer->pending()) {
      if (now >= state.pacer->ListensFrom()) {
        if (now >= state.pacer->CaptureAt()) return Reason::kDamage;
        WaitUntil(state, state.pacer->CaptureAt());
      } else {
        WaitUntil(state, state.pacer->ListensFrom(), /*deaf=*/true);
        // What was drawn meanwhile is in the next frame, but it is no news of when to capture.
        const X11Grabber::News old = state.grabber->Poll();
        if (old.lost) return Reason::kLost;
        if (old.resized) return Reason::kResized;
        if (old.damaged) state.grabber->Collect();
      }
    } else {
      const uint64_t keep_alive = state.last_frame_ns + uint64_t{state.keep_alive_ms} * 1000000;
      if (now >= keep_alive) return Reason::kKeepAlive;
      WaitUntil(state, std::min(keep_alive, now + kPointerCheckNs));
      if (MonotonicNs() >= now + kPointerCheckNs && state.grabber->PointerMoved()) state.pacer->Damaged(MonotonicNs());
    }
  }
}

GstFlowReturn Renegotiate(Source* self) {
  State& state = *self->state;
  state.picture.reset();
  return gst_base_src_negotiate(GST_BASE_SRC(self)) ? GST_FLOW_OK : GST_FLOW_NOT_NEGOTIATED;
}

// One frame, or null when the server refused to be read.
GstBuffer* MakeFrame(Source* self, bool read) {
  State& state = *self->state;
  Rects changed;
  const uint64_t captured = MonotonicNs();
  if (read) {
    state.grabber->PointerMoved();
    state.grabber->Collect();
    state.picture->MakeWritable();
    if (!state.grabber->Grab(state.picture->view(), changed)) return nullptr;
  }
  state.pacer->Captured(captured);
  state.last_frame_ns = captured;
  GstBuffer* buffer = state.picture->ToBuffer();
  const uint64_t base_time = gst_element_get_base_time(GST_ELEMENT(self));
  GST_BUFFER_PTS(buffer) = captured > base_time ? captured - base_time : 0;
  SetRects(EnsureFrameMeta(buffer)->damage, std::move(changed));
  return buffer;
}

GstFlowReturn Create(GstPushSrc* push, GstBuffer** out) {
  auto* self = reinterpret_cast<Source*>(push);
  State& state = *self->state;
  for (;;) {
    bool read = true;
    if (state.picture) {
      const Reason reason = WaitForFrame(state);
      if (reason == Reason::kFlushing) return GST_FLOW_FLUSHING;
      if (reason == Reason::kLost) {
        GST_ELEMENT_ERROR(self, RESOURCE, READ, ("the X server is gone"), (nullptr));
        return GST_FLOW_ERROR;
      }
      if (reason == Reason::kResized && Renegotiate(self) != GST_FLOW_OK) return GST_FLOW_NOT_NEGOTIATED;
      read = reason != Reason::kKeepAlive;
    }
    if (!state.picture) {
      state.picture = std::make_unique<SharedPicture>(state.grabber->width(), state.grabber->height());
      state.grabber->DamageAll();
    }
    if ((*out = MakeFrame(self, read))) return GST_FLOW_OK;
    // The screen is being resized: the event that says so follows.
    WaitUntil(state, MonotonicNs() + 20000000);
    state.pacer->Damaged(MonotonicNs());
  }
}

gboolean Unlock(GstBaseSrc* base) {
  StateOf(base).flushing = true;
  Wake(StateOf(base));
  return TRUE;
}

gboolean UnlockStop(GstBaseSrc* base) {
  StateOf(base).flushing = false;
  return TRUE;
}

gboolean OnEvent(GstBaseSrc* base, GstEvent* event) {
  const GstStructure* structure = gst_event_get_structure(event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM && structure &&
      gst_structure_has_name(structure, kRefreshEvent)) {
    StateOf(base).refresh = true;
    Wake(StateOf(base));
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(source_parent_class)->event(base, event);
}

gboolean Query(GstBaseSrc* base, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
    gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(source_parent_class)->query(base, query);
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec*) {
  State& state = StateOf(object);
  switch (id) {
    case kPropDisplay:
      state.options.display = g_value_get_string(value) ? g_value_get_string(value) : "";
      break;
    case kPropX:
      state.options.area.x = g_value_get_int(value);
      break;
    case kPropY:
      state.options.area.y = g_value_get_int(value);
      break;
    case kPropWidth:
      state.options.area.width = g_value_get_int(value);
      break;
    case kPropHeight:
      state.options.area.height = g_value_get_int(value);
      break;
    case kPropWindow:
      state.options.window = g_value_get_uint(value);
      break;
    case kPropCursor:
      state.options.cursor = g_value_get_boolean(value);
      break;
    case kPropKeepAlive:
      state.keep_alive_ms = g_value_get_uint(value);
      break;
  }
}

void Finalize(GObject* object) {
  delete reinterpret_cast<Source*>(object)->state;
  G_OBJECT_CLASS(source_parent_class)->finalize(object);
}

void source_class_init(SourceClass* klass) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = SetProperty;
  object->finalize = Finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(object, kPropDisplay,
                                  g_param_spec_string("display-name", "", "X display", "", flags));
  const struct {
    guint id;
    const char* name;
  } numbers[] = {{kPropX, "x"}, {kPropY, "y"}, {kPropWidth, "width"}, {kPropHeight, "height"}};
  for (const auto& number : numbers) {
    g_object_class_install_property(object, number.id,
                                    g_param_spec_int(number.name, "", "Of the region", 0, 32767, 0, flags));
  }
  g_object_class_install_property(
      object, kPropWindow, g_param_spec_uint("xid", "", "A window, instead of the screen", 0, G_MAXUINT, 0, flags));
  g_object_class_install_property(object, kPropCursor,
                                  g_param_spec_boolean("show-pointer", "", "Draw the cursor", TRUE, flags));
  g_object_class_install_property(
      object, kPropKeepAlive,
      g_param_spec_uint("keep-alive", "", "Most milliseconds between two frames", 10, 3600000, 1000, flags));
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_pad_template(
      element, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                    gst_caps_from_string(GST_VIDEO_CAPS_MAKE("I420") ", colorimetry=bt601")));
  gst_element_class_set_static_metadata(element, "cap X11 source", "Source/Video",
                                        "Captures an X11 screen when it changes", "cap-gateway");
  auto* base = GST_BASE_SRC_CLASS(klass);
  base->start = Start;
  base->stop = Stop;
  base->get_caps = GetCaps;
  base->fixate = Fixate;
  base->set_caps = SetCaps;
  base->unlock = Unlock;
  base->unlock_stop = UnlockStop;
  base->event = OnEvent;
  base->query = Query;
  GST_PUSH_SRC_CLASS(klass)->create = Create;
}

void source_init(Source* self) {
  self->state = new State();
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

}  // namespace

void RegisterX11Source() { gst_element_register(nullptr, "capx11src", GST_RANK_NONE, source_get_type()); }

}  // namespace cap
