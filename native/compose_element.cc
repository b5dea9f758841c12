#include "compose_element.h"

#include <gst/base/gstbasetransform.h>
#include <gst/video/video.h>

#include <memory>
#include <mutex>
#include <optional>

#include "access_unit_hub.h"
#include "composer.h"
#include "frame_meta.h"
#include "pipeline.h"

namespace cap {

namespace {

struct State {
  std::mutex mutex;  // the next plan is set from JavaScript's thread
  std::optional<ComposePlan> next;
  int canvas_width = 0, canvas_height = 0;  // of the newest plan

  // Of the streaming thread:
  Composer composer;
  GstVideoInfo in, out;
};

struct Compose {
  GstBaseTransform parent;
  State* state;
};

struct ComposeClass {
  GstBaseTransformClass parent_class;
};

G_DEFINE_TYPE(Compose, compose, GST_TYPE_BASE_TRANSFORM)

State& StateOf(void* self) { return *reinterpret_cast<Compose*>(self)->state; }

constexpr char kSinkCaps[] = GST_VIDEO_CAPS_MAKE("{ I420, BGRx, BGRA, RGBx, RGBA }");
constexpr char kSrcCaps[] = GST_VIDEO_CAPS_MAKE("I420");

GstCaps* TransformCaps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps, GstCaps* filter) {
  State& state = StateOf(base);
  GstCaps* result = gst_caps_make_writable(gst_caps_from_string(direction == GST_PAD_SINK ? kSrcCaps : kSinkCaps));
  if (direction == GST_PAD_SINK) {
    std::lock_guard<std::mutex> lock(state.mutex);
    if (state.canvas_width > 0) {
      // libyuv's RGB conversion is BT.601, limited range: say so, or players guess BT.709 for large pictures.
      gst_caps_set_simple(result, "width", G_TYPE_INT, state.canvas_width, "height", G_TYPE_INT, state.canvas_height,
                          "colorimetry", G_TYPE_STRING, "bt601", "pixel-aspect-ratio", GST_TYPE_FRACTION, 1, 1,
                          nullptr);
    }
  }
  // The frame rate passes through.
  if (!gst_caps_is_empty(caps) && !gst_caps_is_any(caps)) {
    const GValue* rate = gst_structure_get_value(gst_caps_get_structure(caps, 0), "framerate");
    if (rate) gst_caps_set_value(result, "framerate", rate);
  }
  if (filter) {
    GstCaps* both = gst_caps_intersect_full(filter, result, GST_CAPS_INTERSECT_FIRST);
    gst_caps_unref(result);
    result = both;
  }
  return result;
}

gboolean SetCaps(GstBaseTransform* base, GstCaps* in, GstCaps* out) {
  State& state = StateOf(base);
  state.composer.Forget();
  return gst_video_info_from_caps(&state.in, in) && gst_video_info_from_caps(&state.out, out);
}

void TakePlan(State& state) {
  std::lock_guard<std::mutex> lock(state.mutex);
  if (!state.next) return;
  state.composer.SetPlan(std::move(*state.next));
  state.next.reset();
}

// Composes here rather than in `transform`: the canvas lives on from frame to frame, so no buffer is asked for.
GstFlowReturn PrepareOutputBuffer(GstBaseTransform* base, GstBuffer* in, GstBuffer** out) {
  State& state = StateOf(base);
  TakePlan(state);
  const FrameMeta* meta = GetFrameMeta(in);
  const Rects* damage = meta ? meta->damage : nullptr;
  std::optional<Rects> canvas_damage;
  const bool is_i420 = GST_VIDEO_INFO_FORMAT(&state.in) == GST_VIDEO_FORMAT_I420;
  if (is_i420 && state.out.width == state.in.width && state.out.height == state.in.height &&
      state.composer.IsIdentity(state.in.width, state.in.height)) {
    *out = gst_buffer_copy(in);  // shares the memory
    if (damage) canvas_damage = *damage;
  } else {
    GstVideoFrame frame;
    if (!gst_video_frame_map(&frame, &state.in, in, GST_MAP_READ)) return GST_FLOW_ERROR;
    *out = state.composer.Compose(&frame, state.out.width, state.out.height, damage, canvas_damage);
    gst_video_frame_unmap(&frame);
    GST_BASE_TRANSFORM_GET_CLASS(base)->copy_metadata(base, in, *out);
  }
  if (canvas_damage) SetRects(EnsureFrameMeta(*out)->canvas_damage, std::move(*canvas_damage));
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
  delete reinterpret_cast<Compose*>(object)->state;
  G_OBJECT_CLASS(compose_parent_class)->finalize(object);
}

void compose_class_init(ComposeClass* klass) {
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_pad_template(
      element, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS, gst_caps_from_string(kSinkCaps)));
  gst_element_class_add_pad_template(
      element, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS, gst_caps_from_string(kSrcCaps)));
  gst_element_class_set_static_metadata(element, "cap compose", "Filter/Converter/Video/Scaler",
                                        "Scales rectangles of the source into one canvas", "cap-gateway");
  auto* base = GST_BASE_TRANSFORM_CLASS(klass);
  base->transform_caps = TransformCaps;
  base->set_caps = SetCaps;
  base->get_unit_size = GetUnitSize;
  base->prepare_output_buffer = PrepareOutputBuffer;
  base->transform = Transform;
  base->passthrough_on_same_caps = FALSE;
  G_OBJECT_CLASS(klass)->finalize = Finalize;
}

void compose_init(Compose* self) { self->state = new State(); }

void SetPlan(GstElement* element, ComposePlan plan) {
  State& state = StateOf(element);
  {
    std::lock_guard<std::mutex> lock(state.mutex);
    state.canvas_width = plan.canvas_width;
    state.canvas_height = plan.canvas_height;
    state.next = std::move(plan);
  }
  gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(element));
  // A still source would show the old plan's picture until its next keep-alive.
  gst_pad_push_event(GST_BASE_TRANSFORM_SINK_PAD(element),
                     gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty(kRefreshEvent)));
}

Rect ToRect(Napi::Object object) {
  auto number = [&](const char* name) { return object.Get(name).As<Napi::Number>().Int32Value(); };
  return {number("x"), number("y"), number("width"), number("height")};
}

}  // namespace

void RegisterComposeElement() { gst_element_register(nullptr, "capcompose", GST_RANK_NONE, compose_get_type()); }

void SetComposePlanFromJs(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  GstElement* element = Pipeline::From(info[0])->Element(env, info[1].As<Napi::String>().Utf8Value());
  Napi::Object from = info[2].As<Napi::Object>();
  ComposePlan plan;
  const Rect source = ToRect(from.Get("source").As<Napi::Object>());
  const Rect canvas = ToRect(from.Get("canvas").As<Napi::Object>());
  plan.source_width = source.width;
  plan.source_height = source.height;
  plan.canvas_width = canvas.width;
  plan.canvas_height = canvas.height;
  plan.background_luma = from.Get("backgroundLuma").As<Napi::Number>().Int32Value();
  Napi::Array views = from.Get("views").As<Napi::Array>();
  for (uint32_t i = 0; i < views.Length(); ++i) {
    Napi::Object view = views.Get(i).As<Napi::Object>();
    plan.views.push_back({ToRect(view.Get("source").As<Napi::Object>()), ToRect(view.Get("target").As<Napi::Object>()),
                          view.Get("bicubic").As<Napi::Boolean>().Value()});
  }
  const bool is_compose = G_TYPE_CHECK_INSTANCE_TYPE(element, compose_get_type());
  if (is_compose) SetPlan(element, std::move(plan));
  gst_object_unref(element);
  if (!is_compose) Throw(env, "usage", "the element is not a capcompose");
}

}  // namespace cap
