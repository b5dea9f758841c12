#include "x11_source.h"

#include <gst/base/gstpushsrc.h>
#include <gst/video/video.h>

#include <string>

#include "access_unit_hub.h"
#include "frame_meta.h"
#include "x11_capture.h"

namespace cap {

namespace {

struct Source {
  GstPushSrc parent;
  X11Capture* capture;
};

struct SourceClass {
  GstPushSrcClass parent_class;
};

enum { kPropDisplay = 1, kPropX, kPropY, kPropWidth, kPropHeight, kPropWindow, kPropCursor, kPropKeepAlive };

G_DEFINE_TYPE(Source, source, GST_TYPE_PUSH_SRC)

X11Capture& CaptureOf(void* self) { return *reinterpret_cast<Source*>(self)->capture; }

gboolean Start(GstBaseSrc* base) {
  std::string reason;
  if (CaptureOf(base).Open(reason)) return TRUE;
  GST_ELEMENT_ERROR(base, RESOURCE, OPEN_READ, ("%s", reason.c_str()), (nullptr));
  return FALSE;
}

gboolean Stop(GstBaseSrc* base) {
  CaptureOf(base).Close();
  return TRUE;
}

GstCaps* GetCaps(GstBaseSrc* base, GstCaps* filter) {
  const X11Capture& capture = CaptureOf(base);
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
  return GST_BASE_SRC_CLASS(source_parent_class)->fixate(base, caps);
}

gboolean SetCaps(GstBaseSrc* base, GstCaps* caps) {
  int fps_n = 30, fps_d = 1;
  gst_structure_get_fraction(gst_caps_get_structure(caps, 0), "framerate", &fps_n, &fps_d);
  CaptureOf(base).SetInterval(
      gst_util_uint64_scale(GST_SECOND, static_cast<guint64>(fps_d), static_cast<guint64>(fps_n)));
  return TRUE;
}

GstFlowReturn Create(GstPushSrc* push, GstBuffer** out) {
  X11Capture& capture = CaptureOf(push);
  for (;;) {
    const X11Capture::Reason reason = capture.Wait();
    if (reason == X11Capture::Reason::kFlushing) return GST_FLOW_FLUSHING;
    if (reason == X11Capture::Reason::kLost) {
      GST_ELEMENT_ERROR(push, RESOURCE, READ, ("the X server is gone"), (nullptr));
      return GST_FLOW_ERROR;
    }
    if (reason == X11Capture::Reason::kResized) {
      capture.Resize();
      if (!gst_base_src_negotiate(GST_BASE_SRC(push))) return GST_FLOW_NOT_NEGOTIATED;
    }
    uint64_t captured;
    Rects changed;
    *out = capture.MakeFrame(reason != X11Capture::Reason::kKeepAlive, captured, changed);
    if (!*out) continue;
    const uint64_t base_time = gst_element_get_base_time(GST_ELEMENT(push));
    GST_BUFFER_PTS(*out) = captured > base_time ? captured - base_time : 0;
    SetRects(EnsureFrameMeta(*out)->damage, std::move(changed));
    return GST_FLOW_OK;
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
    CaptureOf(base).Refresh();
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
  X11Capture& capture = CaptureOf(object);
  switch (id) {
    case kPropDisplay:
      capture.options.display = g_value_get_string(value) ? g_value_get_string(value) : "";
      break;
    case kPropX:
      capture.options.area.x = g_value_get_int(value);
      break;
    case kPropY:
      capture.options.area.y = g_value_get_int(value);
      break;
    case kPropWidth:
      capture.options.area.width = g_value_get_int(value);
      break;
    case kPropHeight:
      capture.options.area.height = g_value_get_int(value);
      break;
    case kPropWindow:
      capture.options.window = g_value_get_uint(value);
      break;
    case kPropCursor:
      capture.options.cursor = g_value_get_boolean(value);
      break;
    case kPropKeepAlive:
      capture.keep_alive_ms = g_value_get_uint(value);
      break;
  }
}

void Finalize(GObject* object) {
  delete reinterpret_cast<Source*>(object)->capture;
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
  self->capture = new X11Capture();
  gst_base_src_set_live(GST_BASE_SRC(self), TRUE);
  gst_base_src_set_format(GST_BASE_SRC(self), GST_FORMAT_TIME);
}

}  // namespace

void RegisterX11Source() { gst_element_register(nullptr, "capx11src", GST_RANK_NONE, source_get_type()); }

}  // namespace cap
