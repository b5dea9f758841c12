// A capredact as JavaScript has it: says what is masked, and reads what has changed.
#pragma once

#include <gst/gst.h>
#include <napi.h>

#include <memory>

#include "event_channel.h"
#include "redaction.h"

namespace cap {

class Redactor : public Napi::ObjectWrap<Redactor> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit Redactor(const Napi::CallbackInfo& info);
  ~Redactor() override;

 private:
  Napi::Value Take(const Napi::CallbackInfo& info);
  void Settle(const Napi::CallbackInfo& info);
  void Fail(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo& info);
  void Close();
  void Refresh();

  GstPad* sink_ = nullptr;  // of the element; null once closed
  std::shared_ptr<Redaction> redaction_;
  std::shared_ptr<EventChannel> unread_;
};

}  // namespace cap
