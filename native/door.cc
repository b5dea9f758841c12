#include "door.h"

#include "pipeline.h"

namespace cap {

Napi::Function Door::Define(Napi::Env env) {
  return DefineClass(env, "Door", {InstanceMethod<&Door::Stats>("stats"), InstanceMethod<&Door::Close>("close")});
}

// new Door(hub, pipeline, appsrcName, maxAccessUnits)
Door::Door(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  GstElement* appsrc = Pipeline::From(info[1])->Element(info.Env(), info[2].As<Napi::String>().Utf8Value());
  const bool is_appsrc = GST_IS_APP_SRC(appsrc);
  if (is_appsrc) {
    const auto& hub = AccessUnitHub::From(info[0])->core();
    door_ = std::make_shared<AppsrcDoor>(hub, appsrc, info[3].As<Napi::Number>().Uint32Value(),
                                         AppsrcDoor::Timeline::kZero);
    hub->Add(door_);
  }
  gst_object_unref(appsrc);
  if (!is_appsrc) Throw(info.Env(), "usage", "a door feeds an appsrc");
}

Door::~Door() {
  if (door_) door_->Close();
}

Napi::Value Door::Stats(const Napi::CallbackInfo& info) {
  Napi::Object stats = Napi::Object::New(info.Env());
  stats.Set("delivered", static_cast<double>(door_->delivered()));
  stats.Set("waiting", static_cast<double>(door_->waiting()));
  stats.Set("dropped", static_cast<double>(door_->dropped()));
  return stats;
}

void Door::Close(const Napi::CallbackInfo&) { door_->Close(); }

}  // namespace cap
