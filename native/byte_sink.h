// What a muxer makes, as bytes, by pull: its pipeline waits while JavaScript does not pull.
#pragma once

#include <gst/app/gstappsink.h>
#include <napi.h>

#include <memory>

namespace cap {

class ByteSink : public Napi::ObjectWrap<ByteSink> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit ByteSink(const Napi::CallbackInfo& info);
  ~ByteSink() override;

 private:
  struct Core;

  Napi::Value Pull(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo& info);
  void Close();

  static GstFlowReturn OnSample(GstAppSink* sink, gpointer data);

  std::shared_ptr<Core> core_;
};

}  // namespace cap
