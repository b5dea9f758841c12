// A door into the files of a recording, for JavaScript, which makes a pipeline for each segment that begins.
#pragma once

#include <napi.h>

#include <memory>

#include "event_channel.h"
#include "segment_cutter.h"

namespace cap {

class RecordingDoor : public Napi::ObjectWrap<RecordingDoor> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit RecordingDoor(const Napi::CallbackInfo& info);
  ~RecordingDoor() override;

 private:
  Napi::Value Attach(const Napi::CallbackInfo& info);
  void Abandon(const Napi::CallbackInfo& info);
  void Resume(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void EndFromJs(const Napi::CallbackInfo& info);
  void CloseFromJs(const Napi::CallbackInfo& info);

  std::shared_ptr<SegmentCutter> cutter_;
  std::shared_ptr<EventChannel> events_;
};

}  // namespace cap
