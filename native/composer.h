// Makes one I420 canvas of a source picture by a plan: each view is a rectangle of the source
// scaled into a rectangle of the canvas. The canvas lives on, and where it is known what changed,
// only that is scaled again.
#pragma once

#include <gst/video/video.h>

#include <memory>
#include <optional>
#include <vector>

#include "plane_scaler.h"
#include "shared_picture.h"

namespace cap {

struct ComposePlan {
  struct View {
    Rect source, target;  // even origins and sizes, but for the source's size
    bool bicubic = false;
  };
  int source_width = 0, source_height = 0;
  int canvas_width = 0, canvas_height = 0;
  int background_luma = -1;  // fills the canvas under the views when not negative
  std::vector<View> views;
};

class Composer {
 public:
  // The next frame is composed from scratch.
  void SetPlan(ComposePlan plan);
  void Forget() { canvas_.reset(); }

  // Whether the plan leaves an I420 picture of that size as it is.
  bool IsIdentity(int width, int height) const;

  // Composes `in` into a canvas of the given size, which is the plan's unless that has just changed.
  // `damage` is what changed in the source since the last call, null when that is not known. Returns
  // the canvas; `canvas_damage` is what changed in it, when that is known.
  GstBuffer* Compose(GstVideoFrame* in, int canvas_width, int canvas_height, const Rects* damage,
                     std::optional<Rects>& canvas_damage);

 private:
  void ComposeAll(GstVideoFrame* in, const std::vector<ComposePlan::View>& views, bool planned);
  void ScaleView(size_t index, const ComposePlan::View& view, const I420& source, bool planned);
  Rects ScaleDamage(GstVideoFrame* in, const Rects& damage);
  I420 SourcePicture(GstVideoFrame* in, const Rects* damage);

  ComposePlan plan_;
  std::unique_ptr<SharedPicture> canvas_;
  std::vector<std::unique_ptr<BicubicScaler>> bicubic_;  // one per view, null where it averages
  std::unique_ptr<I420Picture> converted_;               // the source as I420, when it comes as RGB
};

}  // namespace cap
