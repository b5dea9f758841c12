#include "compose_element.h"

#include <gst/base/gstbasetransform.h>
#include <gst/video/gstvideofilter.h>
#include <libyuv.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "pipeline.h"

namespace cap {

namespace {

struct Composer {
  std::mutex mutex;  // `plan` is set from JavaScript's thread
  ComposePlan plan;
  bool changed = false;

  // Of the streaming thread only:
  ComposePlan active;
  std::vector<std::unique_ptr<BicubicScaler>> bicubic;  // one per view, null where it averages
  std::unique_ptr<I420Picture> converted;               // the source as I420
};

struct Compose {
  GstVideoFilter parent;
  Composer* composer;
};

struct ComposeClass {
  GstVideoFilterClass parent_class;
};

G_DEFINE_TYPE(Compose, compose, GST_TYPE_VIDEO_FILTER)

constexpr char kSinkCaps[] = GST_VIDEO_CAPS_MAKE("{ BGRx, BGRA, RGBx, RGBA, I420 }");
constexpr char kSrcCaps[] = GST_VIDEO_CAPS_MAKE("I420");

GstCaps* TransformCaps(GstBaseTransform* base, GstPadDirection direction, GstCaps* caps, GstCaps* filter) {
  Composer* composer = reinterpret_cast<Compose*>(base)->composer;
  GstCaps* result = gst_caps_from_string(direction == GST_PAD_SINK ? kSrcCaps : kSinkCaps);
  result = gst_caps_make_writable(result);
  if (direction == GST_PAD_SINK) {
    std::lock_guard<std::mutex> lock(composer->mutex);
    if (composer->plan.canvas_width > 0) {
      // libyuv's RGB conversion is BT.601, limited range: say so, or players guess BT.709 for large pictures.
      gst_caps_set_simple(result, "width", G_TYPE_INT, composer->plan.canvas_width, "height", G_TYPE_INT,
                          composer->plan.canvas_height, "colorimetry", G_TYPE_STRING, "bt601", "pixel-aspect-ratio",
                          GST_TYPE_FRACTION, 1, 1, nullptr);
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

// The rectangle that `rect` of the plan's source becomes on a source of another size: after a
// resize a few frames may come before the new plan does.
Rect OnActualSource(const Rect& rect, const ComposePlan& plan, int width, int height) {
  if (plan.source_width == width && plan.source_height == height) return rect;
  auto even = [](int64_t value) { return static_cast<int>(value) & ~1; };
  Rect out{even(int64_t{rect.x} * width / plan.source_width), even(int64_t{rect.y} * height / plan.source_height),
           std::max<int>(1, int64_t{rect.width} * width / plan.source_width),
           std::max<int>(1, int64_t{rect.height} * height / plan.source_height)};
  out.width = std::min(out.width, width - out.x);
  out.height = std::min(out.height, height - out.y);
  return out;
}

I420 ViewOf(GstVideoFrame* frame) {
  I420 view;
  for (int plane = 0; plane < 3; ++plane) {
    view.planes[plane] = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame, plane));
    view.strides[plane] = GST_VIDEO_FRAME_PLANE_STRIDE(frame, plane);
  }
  view.width = GST_VIDEO_FRAME_WIDTH(frame);
  view.height = GST_VIDEO_FRAME_HEIGHT(frame);
  return view;
}

bool ToI420(GstVideoFrame* frame, const I420& out) {
  const auto* pixels = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame, 0));
  const int stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
  // libyuv names formats by register, GStreamer by memory: ARGB is B,G,R,A and ABGR is R,G,B,A in memory.
  const GstVideoFormat format = GST_VIDEO_FRAME_FORMAT(frame);
  const bool blue_first = format == GST_VIDEO_FORMAT_BGRx || format == GST_VIDEO_FORMAT_BGRA;
  auto* convert = blue_first ? libyuv::ARGBToI420 : libyuv::ABGRToI420;
  return convert(pixels, stride, out.planes[0], out.strides[0], out.planes[1], out.strides[1], out.planes[2],
                 out.strides[2], out.width, out.height) == 0;
}

void Fill(const I420& picture, uint8_t luma) {
  libyuv::I420Rect(picture.planes[0], picture.strides[0], picture.planes[1], picture.strides[1], picture.planes[2],
                   picture.strides[2], 0, 0, picture.width, picture.height, luma, 128, 128);
}

void TakePlan(Composer* composer) {
  std::lock_guard<std::mutex> lock(composer->mutex);
  if (!composer->changed) return;
  composer->active = composer->plan;
  composer->bicubic.clear();
  composer->bicubic.resize(composer->active.views.size());
  composer->changed = false;
}

// The source as I420: the frame itself, the canvas when no scaling is asked, or our own picture.
I420 SourcePicture(Composer* composer, GstVideoFrame* in, const I420& canvas, bool whole) {
  if (GST_VIDEO_FRAME_FORMAT(in) == GST_VIDEO_FORMAT_I420) return ViewOf(in);
  if (whole) {
    ToI420(in, canvas);
    return canvas;
  }
  const int width = GST_VIDEO_FRAME_WIDTH(in), height = GST_VIDEO_FRAME_HEIGHT(in);
  if (!composer->converted || composer->converted->view().width != width ||
      composer->converted->view().height != height) {
    composer->converted = std::make_unique<I420Picture>(width, height);
  }
  ToI420(in, composer->converted->view());
  return composer->converted->view();
}

GstFlowReturn TransformFrame(GstVideoFilter* filter, GstVideoFrame* in, GstVideoFrame* out) {
  Composer* composer = reinterpret_cast<Compose*>(filter)->composer;
  TakePlan(composer);
  const ComposePlan& plan = composer->active;
  const int width = GST_VIDEO_FRAME_WIDTH(in), height = GST_VIDEO_FRAME_HEIGHT(in);
  const I420 canvas = ViewOf(out);
  // The plan may already be for the next canvas size: then this frame fills the old canvas.
  const bool fits = plan.canvas_width == canvas.width && plan.canvas_height == canvas.height;
  const ComposePlan::View stretched{{0, 0, plan.source_width, plan.source_height}, {0, 0, canvas.width, canvas.height}};
  const std::vector<ComposePlan::View> fallback{stretched};
  const auto& views = fits ? plan.views : fallback;

  const Rect& first = views[0].target;
  const bool whole = views.size() == 1 && first.width == canvas.width && first.height == canvas.height &&
                     views[0].source.width == first.width && views[0].source.height == first.height &&
                     views[0].source.x == 0 && views[0].source.y == 0 && width >= canvas.width &&
                     height >= canvas.height && width - canvas.width < 2 && height - canvas.height < 2;
  const I420 source = SourcePicture(composer, in, canvas, whole);
  if (whole && source.planes[0] == canvas.planes[0]) return GST_FLOW_OK;
  if (fits && plan.background_luma >= 0) Fill(canvas, static_cast<uint8_t>(plan.background_luma));
  for (size_t i = 0; i < views.size(); ++i) {
    const Rect from = OnActualSource(views[i].source, plan, width, height);
    const I420 part = source.Crop(from), target = canvas.Crop(views[i].target);
    if (!views[i].bicubic || from.width != views[i].source.width || from.height != views[i].source.height) {
      ScaleArea(part, target);
      continue;
    }
    auto& scaler = composer->bicubic[i];
    if (!scaler) scaler = std::make_unique<BicubicScaler>(part.width, part.height, target.width, target.height);
    scaler->Scale(part, target);
  }
  return GST_FLOW_OK;
}

void Finalize(GObject* object) {
  delete reinterpret_cast<Compose*>(object)->composer;
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
  GST_BASE_TRANSFORM_CLASS(klass)->transform_caps = TransformCaps;
  GST_BASE_TRANSFORM_CLASS(klass)->passthrough_on_same_caps = FALSE;
  GST_VIDEO_FILTER_CLASS(klass)->transform_frame = TransformFrame;
  G_OBJECT_CLASS(klass)->finalize = Finalize;
}

void compose_init(Compose* self) { self->composer = new Composer(); }

Rect ToRect(Napi::Object object) {
  auto number = [&](const char* name) { return object.Get(name).As<Napi::Number>().Int32Value(); };
  return {number("x"), number("y"), number("width"), number("height")};
}

}  // namespace

void RegisterComposeElement() { gst_element_register(nullptr, "capcompose", GST_RANK_NONE, compose_get_type()); }

void SetComposePlan(GstElement* element, ComposePlan plan) {
  Composer* composer = reinterpret_cast<Compose*>(element)->composer;
  {
    std::lock_guard<std::mutex> lock(composer->mutex);
    composer->plan = std::move(plan);
    composer->changed = true;
  }
  gst_base_transform_reconfigure_src(GST_BASE_TRANSFORM(element));
}

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
  if (is_compose) SetComposePlan(element, std::move(plan));
  gst_object_unref(element);
  if (!is_compose) Throw(env, "usage", "the element is not a capcompose");
}

}  // namespace cap
