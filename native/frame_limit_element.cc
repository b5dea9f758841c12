#include "frame_limit_element.h"

#include <gst/base/gstbasetransform.h>

namespace cap {

namespace {

// GStreamer's videorate has such a property too, but says so in its caps, which restarts the encoder.
struct FrameLimit {
  GstBaseTransform parent;
  guint max_fps;         // 0: as they come
  GstClockTime due_ns;   // running time of the next frame, a little early or late
  GstClockTime last_ns;  // of the frame before, left out or not
};

struct FrameLimitClass {
  GstBaseTransformClass parent_class;
};

G_DEFINE_TYPE(FrameLimit, frame_limit, GST_TYPE_BASE_TRANSFORM)

enum { kPropMaxFps = 1 };

GstFlowReturn TransformIp(GstBaseTransform* base, GstBuffer* buffer) {
  auto* self = reinterpret_cast<FrameLimit*>(base);
  const guint max_fps = static_cast<guint>(g_atomic_int_get(&self->max_fps));
  if (max_fps == 0 || !GST_BUFFER_PTS_IS_VALID(buffer)) return GST_FLOW_OK;
  const GstClockTime now = GST_BUFFER_PTS(buffer), interval = GST_SECOND / max_fps;
  if (now < self->last_ns) self->due_ns = 0;  // it has started anew
  self->last_ns = now;
  // A rate that does not divide the source's is held on average: a frame is taken up to a quarter of its interval
  // early.
  if (now + interval / 4 < self->due_ns) return GST_BASE_TRANSFORM_FLOW_DROPPED;
  self->due_ns = MAX(self->due_ns + interval, now + interval * 3 / 4);
  return GST_FLOW_OK;
}

gboolean Start(GstBaseTransform* base) {
  auto* self = reinterpret_cast<FrameLimit*>(base);
  self->due_ns = self->last_ns = 0;
  return TRUE;
}

void SetProperty(GObject* object, guint, const GValue* value, GParamSpec*) {
  g_atomic_int_set(&reinterpret_cast<FrameLimit*>(object)->max_fps, g_value_get_uint(value));
}

void frame_limit_class_init(FrameLimitClass* klass) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = SetProperty;
  const auto flags = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(
      object, kPropMaxFps,
      g_param_spec_uint("max-fps", "", "Most frames a second, 0: as they come", 0, 1000, 0, flags));
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, gst_caps_new_any()));
  gst_element_class_add_pad_template(element,
                                     gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, gst_caps_new_any()));
  gst_element_class_set_static_metadata(element, "cap frame limit", "Filter/Video", "Leaves frames out", "cap-gateway");
  auto* transform = GST_BASE_TRANSFORM_CLASS(klass);
  transform->start = Start;
  transform->transform_ip = TransformIp;
  transform->passthrough_on_same_caps = TRUE;
  transform->transform_ip_on_passthrough = TRUE;
}

void frame_limit_init(FrameLimit* self) { gst_base_transform_set_passthrough(GST_BASE_TRANSFORM(self), TRUE); }

}  // namespace

void RegisterFrameLimitElement() {
  gst_element_register(nullptr, "capframelimit", GST_RANK_NONE, frame_limit_get_type());
}

}  // namespace cap
