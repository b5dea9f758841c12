#include "screen_source.h"

#include <gst/video/video.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>

#include "access_unit_hub.h"
#include "copy_pacer.h"
#include "frame_meta.h"
#include "frame_stamper.h"
#include "shared_picture.h"

namespace cap {

namespace {

constexpr uint64_t kFirstPictureNs = 5000000000;
// After this long without one, a picture that waits for a change is stood in for by a grey one.
constexpr uint64_t kPlaceholderNs = 1000000000;

}  // namespace

struct ScreenSourceState {
  unsigned keep_alive_ms = 1000;
  int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::atomic<bool> flushing{false}, refresh{false};

  // Of the streaming thread:
  std::unique_ptr<ScreenGrabber> grabber;
  std::unique_ptr<SharedPicture> picture;  // null before the first
  CopyPacer pacer;
  bool grey = false;  // the picture is a placeholder
  uint64_t started_ns = 0, last_frame_ns = 0, last_pts = 0;

  ~ScreenSourceState() { close(wake); }
};

namespace {

using State = ScreenSourceState;

enum { kPropKeepAlive = 1 };

}  // namespace

G_DEFINE_ABSTRACT_TYPE(ScreenSource, screen_source, GST_TYPE_PUSH_SRC)

namespace {

State& StateOf(void* self) { return *reinterpret_cast<ScreenSource*>(self)->state; }

void Wake(State& state) {
  const uint64_t one = 1;
  (void)!write(state.wake, &one, sizeof one);
}

gboolean Start(GstBaseSrc* base) {
  State& state = StateOf(base);
  std::string reason;
  auto* klass = reinterpret_cast<ScreenSourceClass*>(G_OBJECT_GET_CLASS(base));
  state.grabber = klass->open(reinterpret_cast<ScreenSource*>(base), reason);
  if (!state.grabber) {
    GST_ELEMENT_ERROR(base, RESOURCE, OPEN_READ, ("%s", reason.c_str()), (nullptr));
    return FALSE;
  }
  state.picture.reset();
  state.grey = false;
  state.started_ns = MonotonicNs();
  state.last_frame_ns = state.last_pts = 0;
  state.pacer = CopyPacer();
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
  return GST_BASE_SRC_CLASS(screen_source_parent_class)->fixate(base, caps);
}

gboolean SetCaps(GstBaseSrc* base, GstCaps* caps) {
  int fps_n = 30, fps_d = 1;
  gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate", &fps_n, &fps_d);
  StateOf(base).pacer.set_interval(
      gst_util_uint64_scale(GST_SECOND, static_cast<guint64>(fps_d), static_cast<guint64>(std::max(1, fps_n))));
  return TRUE;
}

// Sleeps until `deadline_ns`, a wake-up or an event of the compositor.
void WaitUntil(State& state, uint64_t deadline_ns) {
  const uint64_t now = MonotonicNs();
  if (deadline_ns <= now) return;
  const uint64_t left = deadline_ns - now;
  const timespec timeout{static_cast<time_t>(left / 1000000000), static_cast<long>(left % 1000000000)};
  const short news = static_cast<short>(state.grabber->backed_up() ? POLLIN | POLLOUT : POLLIN);
  pollfd fds[2] = {{state.wake, POLLIN, 0}, {state.grabber->fd(), news, 0}};
  if (ppoll(fds, 2, &timeout, nullptr) > 0 && fds[0].revents) {
    uint64_t count;
    (void)!read(state.wake, &count, sizeof count);
  }
}

enum class Reason { kPicture, kKeepAlive, kNothingYet, kLost, kFlushing };

// Waits until there is a reason to make a frame. `why` is set when there never will be one.
Reason WaitForFrame(State& state, std::string& why) {
  for (;;) {
    if (state.flushing) return Reason::kFlushing;
    const ScreenGrabber::News news = state.grabber->Poll(why);
    const uint64_t now = MonotonicNs();
    if (news == ScreenGrabber::News::kLost) return Reason::kLost;
    if (news == ScreenGrabber::News::kPicture) {
      state.pacer.Came(now);
      return Reason::kPicture;
    }
    if (news == ScreenGrabber::News::kFailed) {
      state.pacer.Failed(now);
      if (state.pacer.hopeless()) {
        why += ", " + std::to_string(state.pacer.failures()) + " times in a row";
        return Reason::kLost;
      }
    }
    if (!state.grabber->pending() && now >= state.pacer.RequestFrom()) {
      state.grabber->Request();
      continue;  // it may be there already
    }
    const bool waits = state.grabber->waits_for_change();
    uint64_t deadline = state.started_ns + (waits ? kPlaceholderNs : kFirstPictureNs);
    if (state.picture) {
      if (state.refresh.exchange(false)) return Reason::kKeepAlive;
      deadline = state.last_frame_ns + uint64_t{state.keep_alive_ms} * 1000000;
      if (now >= deadline) return Reason::kKeepAlive;
    } else if (now >= deadline && waits) {
      return Reason::kNothingYet;
    } else if (now >= deadline) {
      why = "the compositor gives no picture";
      return Reason::kLost;
    }
    if (!state.grabber->pending()) deadline = std::min(deadline, state.pacer.RequestFrom());
    WaitUntil(state, std::min(deadline, state.grabber->check_ns()));
  }
}

// When the picture was on the screen, as running time; later than the frame before.
uint64_t StampOf(ScreenSource* self, uint64_t captured) {
  State& state = *self->state;
  const uint64_t base_time = gst_element_get_base_time(GST_ELEMENT(self));
  const uint64_t running = captured > base_time ? captured - base_time : 0;
  return state.last_pts = std::max(running, state.last_frame_ns ? state.last_pts + 1 : 0);
}

// `changed` is null when that is not known.
GstBuffer* MakeFrame(ScreenSource* self, uint64_t captured, Rects* changed) {
  State& state = *self->state;
  GstBuffer* buffer = state.picture->ToBuffer();
  GST_BUFFER_PTS(buffer) = StampOf(self, captured);
  state.last_frame_ns = MonotonicNs();
  FrameMeta* meta = EnsureFrameMeta(buffer);
  if (changed) SetRects(meta->damage, std::move(*changed));
  return buffer;
}

// A frame of the picture as it was.
GstBuffer* RepeatFrame(ScreenSource* self) {
  Rects nothing;
  return MakeFrame(self, MonotonicNs(), &nothing);
}

// Makes a frame of the picture that came; null when nothing of what is captured changed.
GstBuffer* ReadFrame(ScreenSource* self, bool all) {
  State& state = *self->state;
  const uint64_t now = MonotonicNs(), presented = state.grabber->presented_ns();
  state.picture->MakeWritable();
  Rects changed;
  const bool told = state.grabber->Read(all, state.picture->view(), changed) || all;
  if (changed.empty()) return nullptr;
  // The clock of whoever presents may be another one.
  return MakeFrame(self, presented <= now && now - presented < GST_SECOND ? presented : now, told ? &changed : nullptr);
}

bool SizeChanged(const State& state) {
  return !state.picture || state.picture->view().width != state.grabber->width() ||
         state.picture->view().height != state.grabber->height();
}

// Makes a picture of the grabber's size, and caps of it.
GstFlowReturn TakeSize(ScreenSource* self) {
  State& state = *self->state;
  const bool first = !state.picture;
  state.picture = std::make_unique<SharedPicture>(state.grabber->width(), state.grabber->height());
  // The first picture's size may not be the one foreseen either.
  gst_pad_mark_reconfigure(GST_BASE_SRC_PAD(self));
  if (gst_base_src_negotiate(GST_BASE_SRC(self))) return GST_FLOW_OK;
  return first ? GST_FLOW_NOT_NEGOTIATED : GST_FLOW_ERROR;
}

void PaintGrey(const I420& picture) {
  for (int plane = 0; plane < 3; ++plane) {
    const int rows = plane == 0 ? picture.height : (picture.height + 1) / 2;
    memset(picture.planes[plane], plane == 0 ? 0x7e : 0x80, static_cast<size_t>(picture.strides[plane]) * rows);
  }
}

void PostLost(ScreenSource* self, const std::string& why) {
  GstStructure* message = gst_structure_new("cap-source-lost", "message", G_TYPE_STRING, why.c_str(), nullptr);
  gst_element_post_message(GST_ELEMENT(self), gst_message_new_element(GST_OBJECT(self), message));
}

GstFlowReturn Create(GstPushSrc* push, GstBuffer** out) {
  auto* self = reinterpret_cast<ScreenSource*>(push);
  State& state = *self->state;
  for (*out = nullptr; !*out;) {
    std::string why;
    switch (WaitForFrame(state, why)) {
      case Reason::kFlushing:
        return GST_FLOW_FLUSHING;
      case Reason::kLost:
        PostLost(self, why);
        return GST_FLOW_EOS;
      case Reason::kKeepAlive:
        *out = RepeatFrame(self);
        break;
      case Reason::kNothingYet:
        if (const GstFlowReturn flow = TakeSize(self); flow != GST_FLOW_OK) return flow;
        PaintGrey(state.picture->view());
        state.grey = true;
        *out = RepeatFrame(self);
        break;
      case Reason::kPicture: {
        const bool resized = SizeChanged(state);
        if (resized) {
          if (const GstFlowReturn flow = TakeSize(self); flow != GST_FLOW_OK) return flow;
        }
        *out = ReadFrame(self, resized || state.grey);
        state.grey = false;
        break;
      }
    }
  }
  return GST_FLOW_OK;
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
  return GST_BASE_SRC_CLASS(screen_source_parent_class)->event(base, event);
}

gboolean Query(GstBaseSrc* base, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
    gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(screen_source_parent_class)->query(base, query);
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec*) {
  if (id == kPropKeepAlive) StateOf(object).keep_alive_ms = g_value_get_uint(value);
}

void Finalize(GObject* object) {
  delete reinterpret_cast<ScreenSource*>(object)->state;
  G_OBJECT_CLASS(screen_source_parent_class)->finalize(object);
}

}  // namespace

static void screen_source_class_init(ScreenSourceClass* klass) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = SetProperty;
  object->finalize = Finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object, kPropKeepAlive,
      g_param_spec_uint("keep-alive", "", "Most milliseconds between two frames", 10, 3600000, 1000, flags));
  gst_element_class_add_pad_template(
      GST_ELEMENT_CLASS(klass),
      gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                           gst_caps_from_string(GST_VIDEO_CAPS_MAKE("I420") ", colorimetry=bt601")));
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

static void screen_source_init(ScreenSource* self) {
  self->state = new ScreenSourceState();
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

}  // namespace cap
