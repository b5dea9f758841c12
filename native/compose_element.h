// The GStreamer element "capcompose": packed RGB or I420 of any size in, one I420 canvas out,
// made of views: a rectangle of the source scaled into a rectangle of the canvas. One view
// is a scale preset; tiles with an overview beside them are a Gundam composite.
#pragma once

#include <gst/gst.h>
#include <napi.h>

#include <vector>

#include "plane_scaler.h"

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

void RegisterComposeElement();

// Takes effect with the next frame; the element renegotiates when the canvas size changes.
void SetComposePlan(GstElement* element, ComposePlan plan);

// setComposePlan(pipeline, elementName, plan): see src/producer/scale-plan.ts
void SetComposePlanFromJs(const Napi::CallbackInfo& info);

}  // namespace cap
