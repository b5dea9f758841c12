#include "composer.h"

#include <libyuv.h>

#include <algorithm>

namespace cap {

namespace {

// Converts `rect` of an RGB frame, whose origin is even, into `picture`, which is of the frame's size.
void ToI420(GstVideoFrame* frame, const Rect& rect, const I420& picture) {
  const int stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
  const auto* pixels = static_cast<const uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(frame, 0)) +
                       static_cast<ptrdiff_t>(rect.y) * stride + static_cast<ptrdiff_t>(rect.x) * 4;
  const I420 out = picture.Crop(rect);
  // libyuv names formats by register, GStreamer by memory: ARGB is B,G,R,A and ABGR is R,G,B,A in memory.
  const GstVideoFormat format = GST_VIDEO_FRAME_FORMAT(frame);
  const bool blue_first = format == GST_VIDEO_FORMAT_BGRx || format == GST_VIDEO_FORMAT_BGRA;
  auto* convert = blue_first ? libyuv::ARGBToI420 : libyuv::ABGRToI420;
  convert(pixels, stride, out.planes[0], out.strides[0], out.planes[1], out.strides[1], out.planes[2], out.strides[2],
          out.width, out.height);
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

// The whole number by which the view shrinks both sides, or 0. Averaging whole blocks of pixels
// gives the same wherever a block lies, so that a part can be scaled alone.
int WholeFactor(const ComposePlan::View& view) {
  if (view.bicubic || view.target.empty()) return 0;
  const int factor = view.source.width / view.target.width;
  const bool exact =
      factor * view.target.width == view.source.width && factor * view.target.height == view.source.height;
  return exact && view.source.x % 2 == 0 && view.source.y % 2 == 0 ? factor : 0;
}

int FloorDiv(int64_t value, int by) { return static_cast<int>(value >= 0 ? value / by : -((-value + by - 1) / by)); }

// What of the canvas a change in the source can reach through a view's filter.
Rect OnCanvas(const Rect& damage, const ComposePlan::View& view) {
  const Rect& from = view.source;
  const Rect& to = view.target;
  const int reach = (view.bicubic ? 4 : 2) * std::max({1, from.width / to.width + 1, from.height / to.height + 1});
  const Rect part =
      Intersect({damage.x - reach, damage.y - reach, damage.width + 2 * reach, damage.height + 2 * reach}, from);
  if (part.empty()) return {};
  auto low = [](int at, int origin, int out, int in) { return FloorDiv(int64_t{at - origin} * out, in); };
  const Rect mapped =
      FromCorners(to.x + low(part.x, from.x, to.width, from.width), to.y + low(part.y, from.y, to.height, from.height),
                  to.x + low(part.right(), from.x, to.width, from.width) + 1,
                  to.y + low(part.bottom(), from.y, to.height, from.height) + 1);
  return EvenOut(mapped, to);
}

}  // namespace

void Composer::SetPlan(ComposePlan plan) {
  plan_ = std::move(plan);
  bicubic_.clear();
  bicubic_.resize(plan_.views.size());
  canvas_.reset();
}

bool Composer::IsIdentity(int width, int height) const {
  if (plan_.views.size() != 1 || plan_.canvas_width != width || plan_.canvas_height != height) return false;
  const ComposePlan::View& view = plan_.views[0];
  auto whole = [&](const Rect& r) { return r.x == 0 && r.y == 0 && r.width == width && r.height == height; };
  return whole(view.source) && whole(view.target);
}

// The frame as I420; of one that is RGB only the damage is converted, when that is known.
I420 Composer::SourcePicture(GstVideoFrame* in, const Rects* damage) {
  if (GST_VIDEO_FRAME_FORMAT(in) == GST_VIDEO_FORMAT_I420) return ViewOf(in);
  const Rect whole{0, 0, GST_VIDEO_FRAME_WIDTH(in), GST_VIDEO_FRAME_HEIGHT(in)};
  if (!converted_ || converted_->view().width != whole.width || converted_->view().height != whole.height) {
    converted_ = std::make_unique<I420Picture>(whole.width, whole.height);
    damage = nullptr;
  }
  for (const Rect& rect : damage ? *damage : Rects{whole}) ToI420(in, EvenOut(rect, whole), converted_->view());
  return converted_->view();
}

GstBuffer* Composer::Compose(GstVideoFrame* in, int canvas_width, int canvas_height, const Rects* damage,
                             std::optional<Rects>& canvas_damage) {
  // The plan may already be for the next canvas size: then the whole source fills the old canvas.
  const bool planned = plan_.canvas_width == canvas_width && plan_.canvas_height == canvas_height;
  const bool fresh = !canvas_ || canvas_->view().width != canvas_width || canvas_->view().height != canvas_height;
  if (fresh) canvas_ = std::make_unique<SharedPicture>(canvas_width, canvas_height);
  const bool same_source =
      GST_VIDEO_FRAME_WIDTH(in) == plan_.source_width && GST_VIDEO_FRAME_HEIGHT(in) == plan_.source_height;
  if (damage && !fresh && planned && same_source) {
    canvas_damage = damage->empty() ? Rects{} : ScaleDamage(in, *damage);
  } else if (planned) {
    canvas_->MakeWritable();
    if (fresh && plan_.background_luma >= 0) {
      const I420& all = canvas_->view();
      libyuv::I420Rect(all.planes[0], all.strides[0], all.planes[1], all.strides[1], all.planes[2], all.strides[2], 0,
                       0, all.width, all.height, plan_.background_luma, 128, 128);
    }
    ComposeAll(in, plan_.views, same_source);
  } else {
    canvas_->MakeWritable();
    ComposeAll(in, {{{0, 0, plan_.source_width, plan_.source_height}, {0, 0, canvas_width, canvas_height}, false}},
               false);
  }
  return canvas_->ToBuffer();
}

void Composer::ComposeAll(GstVideoFrame* in, const std::vector<ComposePlan::View>& views, bool planned) {
  const I420& canvas = canvas_->view();
  const bool converts = GST_VIDEO_FRAME_FORMAT(in) != GST_VIDEO_FORMAT_I420;
  if (converts && planned && IsIdentity(GST_VIDEO_FRAME_WIDTH(in), GST_VIDEO_FRAME_HEIGHT(in))) {
    ToI420(in, {0, 0, canvas.width, canvas.height}, canvas);
    return;
  }
  const I420 source = SourcePicture(in, nullptr);
  for (size_t i = 0; i < views.size(); ++i) ScaleView(i, views[i], source, planned);
}

void Composer::ScaleView(size_t index, const ComposePlan::View& view, const I420& source, bool planned) {
  const Rect from = OnActualSource(view.source, plan_, source.width, source.height);
  const I420 part = source.Crop(from), target = canvas_->view().Crop(view.target);
  if (!view.bicubic || !planned) {
    ScaleArea(part, target);
    return;
  }
  auto& scaler = bicubic_[index];
  if (!scaler) scaler = std::make_unique<BicubicScaler>(part.width, part.height, target.width, target.height);
  scaler->Scale(part, target);
}

Rects Composer::ScaleDamage(GstVideoFrame* in, const Rects& damage) {
  canvas_->MakeWritable();
  Rects reached;
  const I420& canvas = canvas_->view();
  if (GST_VIDEO_FRAME_FORMAT(in) != GST_VIDEO_FORMAT_I420 && IsIdentity(canvas.width, canvas.height)) {
    for (const Rect& rect : damage) reached.push_back(EvenOut(rect, {0, 0, canvas.width, canvas.height}));
    for (const Rect& rect : reached) ToI420(in, rect, canvas);
    return reached;
  }
  const I420 source = SourcePicture(in, &damage);
  for (size_t i = 0; i < plan_.views.size(); ++i) {
    const ComposePlan::View& view = plan_.views[i];
    const int factor = WholeFactor(view);
    Rect touched;
    for (const Rect& rect : damage) {
      const Rect on_canvas = OnCanvas(rect, view);
      if (on_canvas.empty()) continue;
      reached.push_back(on_canvas);
      touched = Bounds(touched, on_canvas);
      if (factor == 0) continue;
      const Rect from{view.source.x + (on_canvas.x - view.target.x) * factor,
                      view.source.y + (on_canvas.y - view.target.y) * factor, on_canvas.width * factor,
                      on_canvas.height * factor};
      ScaleArea(source.Crop(from), canvas_->view().Crop(on_canvas));
    }
    if (factor == 0 && !touched.empty()) ScaleView(i, view, source, true);
  }
  return reached;
}

}  // namespace cap
