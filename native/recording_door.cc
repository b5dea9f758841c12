#include "recording_door.h"

#include "failure.h"
#include "pipeline.h"

namespace cap {

namespace {

// One segment a second may begin, at most.
constexpr size_t kMostEvents = 64;

uint64_t NsOf(Napi::Object options, const char* name) {
  return static_cast<uint64_t>(options.Get(name).As<Napi::Number>().DoubleValue() * 1e6);
}

}  // namespace

Napi::Function RecordingDoor::Define(Napi::Env env) {
  return DefineClass(
      env, "RecordingDoor",
      {InstanceMethod<&RecordingDoor::Attach>("attach"), InstanceMethod<&RecordingDoor::Abandon>("abandon"),
       InstanceMethod<&RecordingDoor::Resume>("resume"), InstanceMethod<&RecordingDoor::Stats>("stats"),
       InstanceMethod<&RecordingDoor::EndFromJs>("end"), InstanceMethod<&RecordingDoor::CloseFromJs>("close")});
}

// new RecordingDoor(hubs: Hub[], rules, onEvent): the pictures' hub first
RecordingDoor::RecordingDoor(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  auto hubs = info[0].As<Napi::Array>();
  std::vector<std::shared_ptr<HubCore>> cores;
  for (uint32_t at = 0; at < hubs.Length(); ++at) cores.push_back(AccessUnitHub::From(hubs.Get(at))->core());
  auto options = info[1].As<Napi::Object>();
  SegmentRules rules;
  rules.most_ns = NsOf(options, "segmentMs");
  rules.most_bytes = static_cast<uint64_t>(options.Get("segmentBytes").As<Napi::Number>().DoubleValue());
  rules.on_change = options.Get("onChange").ToBoolean();
  rules.pre_roll_ns = NsOf(options, "preRollMs");
  rules.linger_ns = NsOf(options, "lingerMs");
  rules.still_ns = NsOf(options, "stillMs");
  events_ = std::make_shared<EventChannel>(info.Env(), info[2].As<Napi::Function>(), "cap recording", kMostEvents);
  cutter_ =
      std::make_shared<SegmentCutter>(std::move(cores), rules, [events = events_](uint64_t number, uint64_t first_ns) {
        events->Post({"segment",
                      {{"number", static_cast<double>(number)}, {"capturedUs", static_cast<double>(first_ns) / 1000}}});
      });
  cutter_->Open();
}

RecordingDoor::~RecordingDoor() {
  if (cutter_) cutter_->Close();
  if (events_) events_->Close();
}

// attach(number, pipeline, appsrcNames): boolean; an appsrc for each hub
Napi::Value RecordingDoor::Attach(const Napi::CallbackInfo& info) {
  auto names = info[2].As<Napi::Array>();
  std::vector<std::shared_ptr<GstElement>> owned;
  std::vector<GstElement*> appsrcs;
  for (uint32_t at = 0; at < names.Length(); ++at) {
    const std::string name = names.Get(at).As<Napi::String>().Utf8Value();
    owned.emplace_back(Pipeline::From(info[1])->Element(info.Env(), name), gst_object_unref);
    appsrcs.push_back(owned.back().get());
    if (!GST_IS_APP_SRC(appsrcs.back())) Throw(info.Env(), "usage", "a recording feeds appsrcs");
  }
  const auto number = static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value());
  return Napi::Boolean::New(info.Env(), cutter_->Attach(number, appsrcs));
}

void RecordingDoor::Abandon(const Napi::CallbackInfo& info) {
  cutter_->Abandon(static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()));
}

void RecordingDoor::Resume(const Napi::CallbackInfo&) { cutter_->Resume(); }

Napi::Value RecordingDoor::Stats(const Napi::CallbackInfo& info) {
  const SegmentCutter::Counters counters = cutter_->counters();
  Napi::Object stats = Napi::Object::New(info.Env());
  stats.Set("delivered", static_cast<double>(counters.delivered));
  stats.Set("dropped", static_cast<double>(counters.dropped));
  stats.Set("segments", static_cast<double>(counters.segments));
  return stats;
}

// end(): leaves the hubs; segments that have begun still take their pipelines
void RecordingDoor::EndFromJs(const Napi::CallbackInfo&) { cutter_->Close(); }

void RecordingDoor::CloseFromJs(const Napi::CallbackInfo&) {
  cutter_->Close();
  events_->Close();
}

}  // namespace cap
