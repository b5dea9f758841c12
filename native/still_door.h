// A door to single pictures, for JavaScript: keeps the coded pictures of the last seconds, and decodes the one that is
// asked for when it is asked for.
#pragma once

#include <napi.h>

#include <memory>

namespace cap {

class StillDoor : public Napi::ObjectWrap<StillDoor> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit StillDoor(const Napi::CallbackInfo& info);
  ~StillDoor() override;

 private:
  struct Core;
  class DecodeWorker;

  Napi::Value Find(const Napi::CallbackInfo& info);
  Napi::Value Decode(const Napi::CallbackInfo& info);
  void Notify(const Napi::CallbackInfo& info);
  void Rest(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo& info);
  void Close();

  std::shared_ptr<Core> core_;
};

}  // namespace cap
