// A door from a hub into a pipeline's appsrc, for JavaScript: the way into what a reader or a server gets.
#pragma once

#include <napi.h>

#include <memory>

#include "appsrc_door.h"

namespace cap {

class Door : public Napi::ObjectWrap<Door> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit Door(const Napi::CallbackInfo& info);
  ~Door() override;

 private:
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<AppsrcDoor> door_;
};

}  // namespace cap
