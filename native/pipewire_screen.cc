#include "pipewire_screen.h"

#include <unistd.h>

#include <utility>

#include "async_task.h"
#include "failure.h"
#include "pipeline.h"
#include "pipewire_grabber.h"
#include "portal_session.h"
#include "screen_source.h"

namespace cap {

namespace {

struct PipewireSource {
  ScreenSource parent;
  PipewireGrabber* grabber;  // owned while the element is stopped
};

struct PipewireSourceClass {
  ScreenSourceClass parent_class;
};

G_DEFINE_TYPE(PipewireSource, pipewire_source, screen_source_get_type())

std::unique_ptr<ScreenGrabber> OpenSource(ScreenSource* self, std::string& reason) {
  auto* source = reinterpret_cast<PipewireSource*>(self);
  reason = "no screen was attached";
  if (source->grabber) source->grabber->Resume();
  return std::unique_ptr<ScreenGrabber>(std::exchange(source->grabber, nullptr));
}

// The user's consent is for this one: it rests, and goes on when the element is started again.
void CloseSource(ScreenSource* self, std::unique_ptr<ScreenGrabber> grabber) {
  auto* resting = static_cast<PipewireGrabber*>(grabber.release());
  resting->Rest();
  reinterpret_cast<PipewireSource*>(self)->grabber = resting;
}

void Finalize(GObject* object) {
  delete reinterpret_cast<PipewireSource*>(object)->grabber;
  G_OBJECT_CLASS(pipewire_source_parent_class)->finalize(object);
}

void pipewire_source_class_init(PipewireSourceClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = Finalize;
  klass->parent_class.open = OpenSource;
  klass->parent_class.close = CloseSource;
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "cap PipeWire source", "Source/Video",
                                        "Captures a screen that PipeWire shows when it changes", "cap-gateway");
}

void pipewire_source_init(PipewireSource* self) { self->grabber = nullptr; }

}  // namespace

void RegisterPipewireSource() {
  gst_element_register(nullptr, "cappipewiresrc", GST_RANK_NONE, pipewire_source_get_type());
}

struct PipewireScreen::Opening {
  ~Opening() {
    if (options.remote >= 0) close(options.remote);
  }

  PipewireGrabber::Options options;
  std::unique_ptr<PipewireGrabber> grabber;
};

Napi::Function PipewireScreen::Define(Napi::Env env) {
  return DefineClass(env, "PipewireScreen",
                     {InstanceMethod<&PipewireScreen::Open>("open"), InstanceMethod<&PipewireScreen::Attach>("attach"),
                      InstanceMethod<&PipewireScreen::Close>("close")});
}

// new PipewireScreen(portal: PortalSession | null, node, region: {x, y, width, height}, maxFps)
PipewireScreen::PipewireScreen(const Napi::CallbackInfo& info)
    : ObjectWrap(info), opening_(std::make_shared<Opening>()) {
  PipewireGrabber::Options& options = opening_->options;
  options.node = info[1].As<Napi::Number>().Uint32Value();
  Napi::Object region = info[2].As<Napi::Object>();
  auto number = [&](const char* name) { return region.Get(name).As<Napi::Number>().Int32Value(); };
  options.area = {number("x"), number("y"), number("width"), number("height")};
  options.max_fps = info[3].As<Napi::Number>().Int32Value();
  if (!info[0].IsNull()) options.remote = PortalSession::From(info[0])->TakeRemote(info.Env());
}

// open(): Promise<{width, height}>
Napi::Value PipewireScreen::Open(const Napi::CallbackInfo& info) {
  auto work = [opening = opening_]() -> std::optional<Failure> {
    std::string reason;
    opening->grabber = PipewireGrabber::Open(opening->options, reason);
    opening->options.remote = -1;  // was taken over
    if (opening->grabber) return std::nullopt;
    return Failure{"pipewire", "", reason, ""};
  };
  auto size = [opening = opening_](Napi::Env env) -> Napi::Value {
    Napi::Object object = Napi::Object::New(env);
    object.Set("width", opening->grabber->width());
    object.Set("height", opening->grabber->height());
    return object;
  };
  return AsyncTask::Run(info.Env(), Value(), work, size);
}

// attach(pipeline, element); once, after open
void PipewireScreen::Attach(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  GstElement* element = Pipeline::From(info[0])->Element(env, info[1].As<Napi::String>().Utf8Value());
  const bool fits = opening_->grabber && G_TYPE_CHECK_INSTANCE_TYPE(element, pipewire_source_get_type());
  if (fits) reinterpret_cast<PipewireSource*>(element)->grabber = opening_->grabber.release();
  gst_object_unref(element);
  if (!fits) Throw(env, "usage", "a screen that is open goes to a cappipewiresrc, once");
}

// Lets go of a screen that was not attached.
void PipewireScreen::Close(const Napi::CallbackInfo&) { opening_->grabber.reset(); }

Napi::Value PipewireVersion(const Napi::CallbackInfo& info) {
  auto version = std::make_shared<std::string>();
  auto work = [version]() -> std::optional<Failure> {
    std::string reason;
    const auto connection = PipewireConnection::Open(-1, PW_ID_ANY, reason);
    if (!connection) return Failure{"pipewire", "", reason, ""};
    const PipewireConnection::Lock lock(*connection);
    *version = connection->version();
    return std::nullopt;
  };
  return AsyncTask::Run(info.Env(), Napi::Object::New(info.Env()), work,
                        [version](Napi::Env env) -> Napi::Value { return Napi::String::New(env, *version); });
}

}  // namespace cap
