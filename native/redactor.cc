#include "redactor.h"

#include <utility>

#include "access_unit_hub.h"
#include "failure.h"
#include "pipeline.h"
#include "redact_element.h"

namespace cap {

namespace {

Rects ToRects(const Napi::Value& value) {
  const auto list = value.As<Napi::Array>();
  Rects rects;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    const auto object = list.Get(i).As<Napi::Object>();
    auto number = [&](const char* name) { return object.Get(name).As<Napi::Number>().Int32Value(); };
    rects.push_back({number("x"), number("y"), number("width"), number("height")});
  }
  return rects;
}

}  // namespace

Napi::Function Redactor::Define(Napi::Env env) {
  return DefineClass(env, "Redactor",
                     {InstanceMethod<&Redactor::Take>("take"), InstanceMethod<&Redactor::Settle>("settle"),
                      InstanceMethod<&Redactor::Fail>("fail"), InstanceMethod<&Redactor::Stats>("stats"),
                      InstanceMethod<&Redactor::CloseFromJs>("close")});
}

// new Redactor(pipeline, elementName, options, onUnread)
Redactor::Redactor(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Napi::Env env = info.Env();
  GstElement* element = Pipeline::From(info[0])->Element(env, info[1].As<Napi::String>().Utf8Value());
  redaction_ = RedactionOf(element);
  if (redaction_) sink_ = gst_element_get_static_pad(element, "sink");
  gst_object_unref(element);
  if (!redaction_) Throw(env, "usage", "the element is not a capredact");
  const auto from = info[2].As<Napi::Object>();
  RedactionOptions options;
  options.regions = ToRects(from.Get("regions"));
  const auto windows = from.Get("windows").As<Napi::Object>();
  options.windows.display = windows.Get("display").As<Napi::String>();
  options.windows.origin_x = windows.Get("x").As<Napi::Number>().Int32Value();
  options.windows.origin_y = windows.Get("y").As<Napi::Number>().Int32Value();
  const auto patterns = windows.Get("patterns").As<Napi::Array>();
  for (uint32_t i = 0; i < patterns.Length(); ++i) {
    options.windows.patterns.push_back(patterns.Get(i).As<Napi::String>());
  }
  options.reads = from.Get("reads").As<Napi::Boolean>();
  options.strict = from.Get("strict").As<Napi::Boolean>();
  options.shown_unread_ms = from.Get("shownUnreadMs").As<Napi::Number>().Uint32Value();
  unread_ = std::make_shared<EventChannel>(env, info[3].As<Napi::Function>(), "cap unread pixels", 1);
  redaction_->Configure(std::move(options), [channel = unread_] { channel->Post({"unread", {}}); });
}

Redactor::~Redactor() { Close(); }

// Has a frame made at once: a still source would show the old state until its next keep-alive.
void Redactor::Refresh() {
  if (!sink_) return;
  gst_pad_push_event(sink_, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty(kRefreshEvent)));
}

// take(): what is to be read, or null.
Napi::Value Redactor::Take(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  auto picture = redaction_->Take();
  if (!picture) return env.Null();
  Napi::Object object = Napi::Object::New(env);
  const auto size = static_cast<size_t>(picture->place.area());
  object.Set("luma", Napi::Buffer<uint8_t>::New(env, picture->luma.release(), size,
                                                [](Napi::Env, uint8_t* bytes) { delete[] bytes; }));
  object.Set("x", picture->place.x);
  object.Set("y", picture->place.y);
  object.Set("width", picture->place.width);
  object.Set("height", picture->place.height);
  return object;
}

// settle(matched)
void Redactor::Settle(const Napi::CallbackInfo& info) {
  redaction_->Settle(ToRects(info[0]));
  Refresh();
}

void Redactor::Fail(const Napi::CallbackInfo&) {
  redaction_->Fail();
  Refresh();
}

Napi::Value Redactor::Stats(const Napi::CallbackInfo& info) {
  const RedactionStats stats = redaction_->stats();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("maskedPixels", static_cast<double>(stats.masked_cells * 64));
  object.Set("unreadPixels", static_cast<double>(stats.unread_cells * 64));
  return object;
}

void Redactor::CloseFromJs(const Napi::CallbackInfo&) { Close(); }

void Redactor::Close() {
  if (!sink_) return;
  redaction_->Close();
  unread_->Close();
  g_clear_pointer(&sink_, gst_object_unref);
}

}  // namespace cap
