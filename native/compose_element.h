// The GStreamer element "capcompose": packed RGB or I420 of any size in, one I420 canvas out, made
// by a plan. One view is a scale preset; tiles with an overview beside them are a Gundam composite.
#pragma once

#include <napi.h>

namespace cap {

void RegisterComposeElement();

// setComposePlan(pipeline, elementName, plan): see src/producer/scale-plan.ts. Takes effect with
// the next frame; the element renegotiates when the canvas size changes.
void SetComposePlanFromJs(const Napi::CallbackInfo& info);

}  // namespace cap
