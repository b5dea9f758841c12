#include "redact_element.h"

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include "frame_meta.h"

namespace cap {

namespace {

struct State {
  std::shared_ptr<Redaction> redaction = std::make_shared<Redaction>();
  GstVideoInfo info;
};

struct Redact {
  GstBaseTransform parent;
  State* state;
};

struct RedactClass {
  GstBaseTransformClass parent_class;
};

G_DEFINE_TYPE(Redact, redact, GST_TYPE_BASE_TRANSFORM)

State& StateOf(void* self) { return *reinterpret_cast<Redact*>(self)->state; }

gboolean SetCaps(GstBaseTransform* base, GstCaps* in, GstCaps*) {
  State& state = StateOf(base);
  state.redaction->Forget();
  return gst_video_info_from_caps(&state.info, in);
}

gboolean Stop(GstBaseTransform* base) {
  StateOf(base).redaction->Forget();
  return TRUE;
}

// The published picture lives on from frame to frame, so no buffer is asked for.
GstFlowReturn PrepareOutputBuffer(GstBaseTransform* base, GstBuffer* in, GstBuffer** out) {
  State& state = StateOf(base);
  GstVideoFrame frame;
  if (!gst_video_frame_map(&frame, &state.info, in, GST_MAP_READ)) return GST_FLOW_ERROR;
  const FrameMeta* meta = GetFrameMeta(in);
  Rects changed;
  *out = state.redaction->Publish(&frame, meta ? meta->damage : nullptr, changed);
  gst_video_frame_unmap(&frame);
  GST_BASE_TRANSFORM_GET_CLASS(base)->copy_metadata(base, in, *out);
  SetRects(EnsureFrameMeta(*out)->damage, std::move(changed));
  return GST_FLOW_OK;
}

GstFlowReturn Transform(GstBaseTransform*, GstBuffer*, GstBuffer*) { return GST_FLOW_OK; }

gboolean GetUnitSize(GstBaseTransform*, GstCaps* caps, gsize* size) {
  GstVideoInfo info;
  if (!gst_video_info_from_caps(&info, caps)) return FALSE;
  *size = GST_VIDEO_INFO_SIZE(&info);
  return TRUE;
}

void Finalize(GObject* object) {
  delete reinterpret_cast<Redact*>(object)->state;
  G_OBJECT_CLASS(redact_parent_class)->finalize(object);
}

void redact_class_init(RedactClass* klass) {
  auto* element = GST_ELEMENT_CLASS(klass);
  for (const auto& [name, direction] : {std::pair{"sink", GST_PAD_SINK}, std::pair{"src", GST_PAD_SRC}}) {
    GstCaps* caps = gst_caps_from_string(GST_VIDEO_CAPS_MAKE("I420"));
    gst_element_class_add_pad_template(element, gst_pad_template_new(name, direction, GST_PAD_ALWAYS, caps));
    gst_caps_unref(caps);
  }
  gst_element_class_set_static_metadata(element, "cap redact", "Filter/Effect/Video", "Masks what must not be seen",
                                        "cap-gateway");
  auto* base = GST_BASE_TRANSFORM_CLASS(klass);
  base->set_caps = SetCaps;
  base->stop = Stop;
  base->get_unit_size = GetUnitSize;
  base->prepare_output_buffer = PrepareOutputBuffer;
  base->transform = Transform;
  base->passthrough_on_same_caps = FALSE;
  G_OBJECT_CLASS(klass)->finalize = Finalize;
}

void redact_init(Redact* self) { self->state = new State(); }

}  // namespace

void RegisterRedactElement() { gst_element_register(nullptr, "capredact", GST_RANK_NONE, redact_get_type()); }

std::shared_ptr<Redaction> RedactionOf(GstElement* element) {
  return G_TYPE_CHECK_INSTANCE_TYPE(element, redact_get_type()) ? StateOf(element).redaction : nullptr;
}

}  // namespace cap
