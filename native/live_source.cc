#include "live_source.h"

#include <gst/video/video.h>

#include <algorithm>

#include "access_unit_hub.h"
#include "frame_meta.h"

namespace cap {

namespace {

enum { kPropKeepAlive = 1, kPropMaxFps };

LiveCapture& CaptureOf(void* self) { return *static_cast<LiveSource*>(self)->capture; }

}  // namespace

G_DEFINE_ABSTRACT_TYPE(LiveSource, live_source, GST_TYPE_PUSH_SRC)

namespace {

gboolean Start(GstBaseSrc* base) {
  std::string reason;
  reinterpret_cast<LiveSource*>(base)->least_pts = 0;
  if (CaptureOf(base).Open(reason)) return TRUE;
  GST_ELEMENT_ERROR(base, RESOURCE, OPEN_READ, ("%s", reason.c_str()), (nullptr));
  return FALSE;
}

gboolean Stop(GstBaseSrc* base) {
  CaptureOf(base).Close();
  return TRUE;
}

GstCaps* GetCaps(GstBaseSrc* base, GstCaps* filter) {
  const LiveCapture& capture = CaptureOf(base);
  GstCaps* caps = gst_pad_get_pad_template_caps(GST_BASE_SRC_PAD(base));
  if (capture.is_open()) {
    caps = gst_caps_make_writable(caps);
    gst_caps_set_simple(caps, "width", G_TYPE_INT, capture.width(), "height", G_TYPE_INT, capture.height(), nullptr);
  }
  if (!filter) return caps;
  GstCaps* both = gst_caps_intersect_full(filter, caps, GST_CAPS_INTERSECT_FIRST);
  gst_caps_unref(caps);
  return both;
}

GstCaps* Fixate(GstBaseSrc* base, GstCaps* caps) {
  caps = gst_caps_make_writable(caps);
  gst_structure_fixate_field_nearest_fraction(gst_caps_get_structure(caps, 0), "framerate", 30, 1);
  return GST_BASE_SRC_CLASS(live_source_parent_class)->fixate(base, caps);
}

gboolean SetCaps(GstBaseSrc* base, GstCaps* caps) {
  int fps_n = 30, fps_d = 1;
  gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate", &fps_n, &fps_d);
  CaptureOf(base).SetInterval(
      gst_util_uint64_scale(GST_SECOND, static_cast<guint64>(fps_d), static_cast<guint64>(std::max(1, fps_n))));
  return TRUE;
}

void PostLost(GstElement* element, const std::string& why) {
  GstStructure* message = gst_structure_new("cap-source-lost", "message", G_TYPE_STRING, why.c_str(), nullptr);
  gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), message));
}

// Gives it its running time, later than that of the frame before.
GstBuffer* Stamped(LiveSource* self, LiveFrame frame) {
  const uint64_t base_time = gst_element_get_base_time(GST_ELEMENT(self));
  const uint64_t running = frame.captured_ns > base_time ? frame.captured_ns - base_time : 0;
  GST_BUFFER_PTS(frame.buffer) = std::max(running, self->least_pts);
  self->least_pts = GST_BUFFER_PTS(frame.buffer) + 1;
  FrameMeta* meta = EnsureFrameMeta(frame.buffer);
  if (frame.tells_damage) SetRects(meta->damage, std::move(frame.changed));
  return frame.buffer;
}

GstFlowReturn Create(GstPushSrc* push, GstBuffer** out) {
  for (;;) {
    LiveFrame frame;
    std::string why;
    switch (CaptureOf(push).Next(frame, why)) {
      case LiveCapture::Outcome::kFrame:
        CaptureOf(push).CountFrame();
        *out = Stamped(reinterpret_cast<LiveSource*>(push), std::move(frame));
        return GST_FLOW_OK;
      case LiveCapture::Outcome::kResized:
        if (!gst_base_src_negotiate(GST_BASE_SRC(push))) return GST_FLOW_NOT_NEGOTIATED;
        break;
      case LiveCapture::Outcome::kLost:
        PostLost(GST_ELEMENT(push), why);
        return GST_FLOW_EOS;
      case LiveCapture::Outcome::kFlushing:
        return GST_FLOW_FLUSHING;
    }
  }
}

gboolean Unlock(GstBaseSrc* base) {
  CaptureOf(base).SetFlushing(true);
  return TRUE;
}

gboolean UnlockStop(GstBaseSrc* base) {
  CaptureOf(base).SetFlushing(false);
  return TRUE;
}

gboolean OnEvent(GstBaseSrc* base, GstEvent* event) {
  const GstStructure* structure = gst_event_get_structure(event);
  if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM && structure &&
      gst_structure_has_name(structure, kRefreshEvent)) {
    gboolean joined = FALSE;
    gst_structure_get_boolean(structure, kJoinedField, &joined);
    joined ? CaptureOf(base).Welcome() : CaptureOf(base).Refresh();
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(live_source_parent_class)->event(base, event);
}

gboolean Query(GstBaseSrc* base, GstQuery* query) {
  if (GST_QUERY_TYPE(query) == GST_QUERY_LATENCY) {
    gst_query_set_latency(query, TRUE, 0, GST_CLOCK_TIME_NONE);
    return TRUE;
  }
  return GST_BASE_SRC_CLASS(live_source_parent_class)->query(base, query);
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec*) {
  if (id == kPropKeepAlive) CaptureOf(object).keep_alive_ms = g_value_get_uint(value);
  if (id == kPropMaxFps) CaptureOf(object).SetLeastInterval(GST_SECOND / g_value_get_uint(value));
}

void Finalize(GObject* object) {
  delete &CaptureOf(object);
  G_OBJECT_CLASS(live_source_parent_class)->finalize(object);
}

}  // namespace

static void live_source_class_init(LiveSourceClass* klass) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = SetProperty;
  object->finalize = Finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object, kPropKeepAlive,
      g_param_spec_uint("keep-alive", "", "Most milliseconds between two frames", 10, 3600000, 1000, flags));
  g_object_class_install_property(
      object, kPropMaxFps,
      g_param_spec_uint("max-fps", "", "Fewer frames a second than the caps say; may change at any time", 1, 1000, 1000,
                        flags));
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

static void live_source_init(LiveSource* self) {
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

}  // namespace cap
