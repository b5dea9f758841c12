#include "pipeline.h"

#include <utility>

#include "async_task.h"
#include "frame_stamper.h"
#include "list_joiner.h"
#include "main_loop.h"

namespace cap {

struct Pipeline::Bus {
  Bus(Napi::Env env, Napi::Function listener) : events(env, listener, "cap pipeline events", 256) {}
  EventChannel events;
  std::mutex mutex;
  std::optional<Failure> failure;  // the first error the pipeline reported
};

namespace {

std::string ElementName(GstMessage* message) { return message->src ? GST_OBJECT_NAME(message->src) : std::string(); }

Failure ParseError(GstMessage* message) {
  GError* error = nullptr;
  gchar* debug = nullptr;
  gst_message_parse_error(message, &error, &debug);
  Failure failure = FailureFromGError("pipeline", error);
  failure.element = ElementName(message);
  if (debug) failure.debug += std::string(" ") + debug;
  g_free(debug);
  return failure;
}

Event FailureEvent(const char* type, const Failure& failure) {
  return {type, {{"element", failure.element}, {"message", failure.message}, {"debug", failure.debug}}};
}

gboolean CollectField(GQuark name, const GValue* value, gpointer data) {
  auto* event = static_cast<Event*>(data);
  if (G_VALUE_HOLDS_STRING(value)) {
    event->fields.emplace_back(g_quark_to_string(name), std::string(g_value_get_string(value)));
  } else if (G_VALUE_HOLDS_INT(value)) {
    event->fields.emplace_back(g_quark_to_string(name), static_cast<double>(g_value_get_int(value)));
  }
  return TRUE;
}

void SetFromString(GObject* object, const std::string& property, const std::string& value, Napi::Env env) {
  GParamSpec* spec = g_object_class_find_property(G_OBJECT_GET_CLASS(object), property.c_str());
  if (!spec || !(spec->flags & G_PARAM_WRITABLE)) {
    Throw(env, "usage", std::string(G_OBJECT_TYPE_NAME(object)) + " has no property \"" + property + "\"");
  }
  // Strings are set as they are: GStreamer's parser would unescape what a user typed.
  if (G_IS_PARAM_SPEC_STRING(spec)) {
    g_object_set(object, property.c_str(), value.c_str(), nullptr);
  } else {
    gst_util_set_object_arg(object, property.c_str(), value.c_str());
  }
}

}  // namespace

void StopElement(GstElement* bin) { gst_element_set_state(bin, GST_STATE_NULL); }

Napi::Function Pipeline::Define(Napi::Env env) {
  return DefineClass(
      env, "Pipeline",
      {InstanceMethod<&Pipeline::Play>("play"), InstanceMethod<&Pipeline::Rest>("rest"),
       InstanceMethod<&Pipeline::Close>("close"), InstanceMethod<&Pipeline::SendEos>("sendEos"),
       InstanceMethod<&Pipeline::Rewind>("rewind"), InstanceMethod<&Pipeline::SetProperty>("setProperty"),
       InstanceMethod<&Pipeline::StampFrames>("stampFrames"), InstanceMethod<&Pipeline::JoinLists>("joinLists"),
       InstanceMethod<&Pipeline::FramesStamped>("framesStamped")});
}

Pipeline* Pipeline::From(Napi::Value value) { return ObjectWrap<Pipeline>::Unwrap(value.As<Napi::Object>()); }

// new Pipeline(description, properties: {element: {property: string}}, onEvent)
Pipeline::Pipeline(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Napi::Env env = info.Env();
  GError* error = nullptr;
  GstElement* bin = gst_parse_launch_full(info[0].As<Napi::String>().Utf8Value().c_str(), nullptr,
                                          GST_PARSE_FLAG_FATAL_ERRORS, &error);
  if (!bin) {
    const bool missing = g_error_matches(error, GST_PARSE_ERROR, GST_PARSE_ERROR_NO_SUCH_ELEMENT);
    Throw(env, FailureFromGError(missing ? "missing-element" : "pipeline", error));
  }
  gst_object_ref_sink(bin);
  bin_.reset(bin, gst_object_unref);
  // A wrong property is the caller's fault; the pipeline is let go by the destructor.
  Napi::Object elements = info[1].As<Napi::Object>();
  for (const auto& entry : elements) {
    const std::string name = static_cast<Napi::Value>(entry.first).As<Napi::String>().Utf8Value();
    Napi::Object properties = static_cast<Napi::Value>(entry.second).As<Napi::Object>();
    GstElement* element = Element(env, name);
    for (const auto& property : properties) {
      SetFromString(G_OBJECT(element), static_cast<Napi::Value>(property.first).As<Napi::String>().Utf8Value(),
                    static_cast<Napi::Value>(property.second).As<Napi::String>().Utf8Value(), env);
    }
    gst_object_unref(element);
  }
  bus_ = std::make_shared<Bus>(env, info[2].As<Napi::Function>());
  GstBus* bus = gst_element_get_bus(bin);
  gst_bus_set_sync_handler(bus, OnMessage, new std::shared_ptr<Bus>(bus_), FreeBus);
  gst_object_unref(bus);
}

Pipeline::~Pipeline() {
  if (bin_) StopElement(bin_.get());
}

void Pipeline::FreeBus(gpointer data) { delete static_cast<std::shared_ptr<Bus>*>(data); }

// Runs on whatever thread posts, streaming threads included: it only copies and enqueues.
GstBusSyncReply Pipeline::OnMessage(GstBus*, GstMessage* message, gpointer data) {
  Bus& bus = **static_cast<std::shared_ptr<Bus>*>(data);
  switch (GST_MESSAGE_TYPE(message)) {
    case GST_MESSAGE_ERROR: {
      Failure failure = ParseError(message);
      {
        std::lock_guard<std::mutex> lock(bus.mutex);
        if (!bus.failure) bus.failure = failure;
      }
      bus.events.Post(FailureEvent("error", failure));
      break;
    }
    case GST_MESSAGE_EOS:
      bus.events.Post({"eos", {}});
      break;
    case GST_MESSAGE_ELEMENT: {
      const GstStructure* structure = gst_message_get_structure(message);
      if (structure && g_str_has_prefix(gst_structure_get_name(structure), "cap-")) {
        Event event{gst_structure_get_name(structure) + 4, {}};
        gst_structure_foreach(structure, CollectField, &event);
        bus.events.Post(std::move(event));
      }
      break;
    }
    case GST_MESSAGE_LATENCY: {
      // Recalculating queries the whole pipeline; a streaming thread must not wait for that.
      GstElement* bin = GST_ELEMENT(gst_object_ref(GST_MESSAGE_SRC(message)));
      while (GstObject* parent = gst_object_get_parent(GST_OBJECT(bin))) {
        gst_object_unref(bin);
        bin = GST_ELEMENT(parent);
      }
      MainLoop::Get().Post([bin] {
        if (GST_IS_BIN(bin)) gst_bin_recalculate_latency(GST_BIN(bin));
        gst_object_unref(bin);
      });
      break;
    }
    default:
      break;
  }
  gst_message_unref(message);
  return GST_BUS_DROP;
}

GstElement* Pipeline::Element(Napi::Env env, const std::string& name) {
  RequireOpen(env);
  if (GST_IS_BIN(bin_.get())) {
    if (GstElement* element = gst_bin_get_by_name(GST_BIN(bin_.get()), name.c_str())) return element;
  }
  Throw(env, "usage", "the pipeline has no element named \"" + name + "\"");
}

void Pipeline::RequireOpen(Napi::Env env) const {
  if (!bin_) Throw(env, "closed", "the pipeline is closed");
}

Napi::Value Pipeline::Play(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  return AsyncTask::Run(info.Env(), Value(), [bin = bin_, bus = bus_]() -> std::optional<Failure> {
    if (gst_element_set_state(bin.get(), GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE) return std::nullopt;
    std::lock_guard<std::mutex> lock(bus->mutex);
    return bus->failure ? *bus->failure : Failure{"pipeline", "", "the pipeline does not start", ""};
  });
}

// rest(): Promise<void>; gives everything back that it takes to run. `play` starts it anew.
Napi::Value Pipeline::Rest(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  return AsyncTask::Run(info.Env(), Value(), [bin = bin_]() -> std::optional<Failure> {
    StopElement(bin.get());
    return std::nullopt;
  });
}

Napi::Value Pipeline::Close(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (!bin_) {
    auto deferred = Napi::Promise::Deferred::New(env);
    deferred.Resolve(env.Undefined());
    return deferred.Promise();
  }
  bus_->events.Close();
  return AsyncTask::Run(env, Value(), [bin = std::exchange(bin_, nullptr)]() mutable -> std::optional<Failure> {
    StopElement(bin.get());
    bin.reset();
    return std::nullopt;
  });
}

void Pipeline::SendEos(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  gst_element_send_event(bin_.get(), gst_event_new_eos());
}

// rewind(): Promise<void>; plays from the start again.
Napi::Value Pipeline::Rewind(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  return AsyncTask::Run(info.Env(), Value(), [bin = bin_]() -> std::optional<Failure> {
    const auto flags = static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_KEY_UNIT);
    if (gst_element_seek_simple(bin.get(), GST_FORMAT_TIME, flags, 0)) return std::nullopt;
    return Failure{"pipeline", "", "it cannot be played from the start again", ""};
  });
}

// setProperty(element, property, value: string)
void Pipeline::SetProperty(const Napi::CallbackInfo& info) {
  GstElement* element = Element(info.Env(), info[0].As<Napi::String>().Utf8Value());
  SetFromString(G_OBJECT(element), info[1].As<Napi::String>().Utf8Value(), info[2].As<Napi::String>().Utf8Value(),
                info.Env());
  gst_object_unref(element);
}

// stampFrames(element, damage?: 'source' | 'pictures'): see frame_stamper.h
void Pipeline::StampFrames(const Napi::CallbackInfo& info) {
  GstElement* element = Element(info.Env(), info[0].As<Napi::String>().Utf8Value());
  const std::string from = info[1].IsString() ? info[1].As<Napi::String>().Utf8Value() : "";
  AttachFrameStamper(element, stamped_,
                     from == "source"     ? DamageFrom::kSource
                     : from == "pictures" ? DamageFrom::kPictures
                                          : DamageFrom::kNobody);
  gst_object_unref(element);
}

// joinLists(elementName): see list_joiner.h.
void Pipeline::JoinLists(const Napi::CallbackInfo& info) {
  GstElement* element = Element(info.Env(), info[0].As<Napi::String>().Utf8Value());
  cap::JoinLists(element);
  gst_object_unref(element);
}

Napi::Value Pipeline::FramesStamped(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(stamped_->load()));
}

}  // namespace cap
