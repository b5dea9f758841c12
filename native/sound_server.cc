#include "sound_server.h"

#include "async_query.h"
#include "pulse_client.h"

namespace cap {

namespace {

template <typename Item, typename Fill>
Napi::Array List(Napi::Env env, const std::vector<Item>& items, Fill fill) {
  Napi::Array list = Napi::Array::New(env, items.size());
  for (uint32_t i = 0; i < items.size(); ++i) {
    Napi::Object object = Napi::Object::New(env);
    fill(object, items[i]);
    list.Set(i, object);
  }
  return list;
}

void FillDevice(Napi::Object& object, const SoundDevice& device) {
  object.Set("index", device.index);
  object.Set("name", device.name);
  object.Set("description", device.description);
  object.Set("monitor", device.monitor);
}

void FillStream(Napi::Object& object, const SoundStream& stream) {
  object.Set("index", stream.index);
  object.Set("output", stream.output);
  object.Set("title", stream.title);
  object.Set("application", stream.application);
  object.Set("applicationId", stream.application_id);
  object.Set("binary", stream.binary);
  object.Set("processId", stream.process_id);
}

void FillModule(Napi::Object& object, const SoundModule& module) {
  object.Set("index", module.index);
  object.Set("name", module.name);
  object.Set("argument", module.argument);
}

Napi::Value ToObject(Napi::Env env, const SoundServer& server) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", server.name);
  object.Set("defaultOutput", server.default_output);
  object.Set("defaultInput", server.default_input);
  object.Set("outputs", List(env, server.outputs, FillDevice));
  object.Set("inputs", List(env, server.inputs, FillDevice));
  object.Set("streams", List(env, server.streams, FillStream));
  object.Set("modules", List(env, server.modules, FillModule));
  return object;
}

struct Nothing {};

Napi::Value ToUndefined(Napi::Env env, const Nothing&) { return env.Undefined(); }

}  // namespace

Napi::Value DescribeSoundServer(const Napi::CallbackInfo& info) {
  return AsyncQuery<SoundServer>::Run(
      info.Env(),
      [](SoundServer& server) {
        PulseClient client;
        auto failure = client.Open();
        return failure ? failure : client.Describe(server);
      },
      ToObject);
}

Napi::Value LoadSoundModule(const Napi::CallbackInfo& info) {
  return AsyncQuery<uint32_t>::Run(
      info.Env(),
      [name = info[0].As<Napi::String>().Utf8Value(),
       argument = info[1].As<Napi::String>().Utf8Value()](uint32_t& index) {
        PulseClient client;
        auto failure = client.Open();
        return failure ? failure : client.LoadModule(name, argument, index);
      },
      [](Napi::Env env, const uint32_t& index) -> Napi::Value { return Napi::Number::New(env, index); });
}

Napi::Value UnloadSoundModule(const Napi::CallbackInfo& info) {
  return AsyncQuery<Nothing>::Run(
      info.Env(),
      [index = info[0].As<Napi::Number>().Uint32Value()](Nothing&) {
        PulseClient client;
        auto failure = client.Open();
        return failure ? failure : client.UnloadModule(index);
      },
      ToUndefined);
}

Napi::Value MoveSoundStream(const Napi::CallbackInfo& info) {
  return AsyncQuery<Nothing>::Run(
      info.Env(),
      [index = info[0].As<Napi::Number>().Uint32Value(), output = info[1].As<Napi::String>().Utf8Value()](Nothing&) {
        PulseClient client;
        auto failure = client.Open();
        return failure ? failure : client.MoveStream(index, output);
      },
      ToUndefined);
}

}  // namespace cap
