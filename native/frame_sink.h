// The newest decoded frame, by pull. A streaming thread keeps one sample and says "there is
// one"; JavaScript pulls when it wants, and only then is the picture converted to RGB.
#pragma once

#include <gst/app/gstappsink.h>
#include <napi.h>

#include <memory>

namespace cap {

class FrameSink : public Napi::ObjectWrap<FrameSink> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit FrameSink(const Napi::CallbackInfo& info);
  ~FrameSink() override;

 private:
  struct Core;

  Napi::Value Pull(const Napi::CallbackInfo& info);
  Napi::Value TakePassed(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo& info);
  void Close();

  static GstFlowReturn OnSample(GstAppSink* sink, gpointer data);
  static GstPadProbeReturn OnCoded(GstPad* pad, GstPadProbeInfo* info, gpointer data);

  std::shared_ptr<Core> core_;
};

}  // namespace cap
