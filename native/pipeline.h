// A GStreamer pipeline: a launch description in, bus events out.
#pragma once

#include <gst/gst.h>
#include <napi.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>

#include "event_channel.h"
#include "failure.h"

namespace cap {

class Pipeline : public Napi::ObjectWrap<Pipeline> {
 public:
  static Napi::Function Define(Napi::Env env);
  static Pipeline* From(Napi::Value value);

  explicit Pipeline(const Napi::CallbackInfo& info);
  ~Pipeline() override;

  // The element of that name with a reference for the caller; throws when there is none.
  GstElement* Element(Napi::Env env, const std::string& name);

 private:
  struct Bus;  // what the bus's handler uses, shared with threads that may outlive the wrapper

  Napi::Value Play(const Napi::CallbackInfo& info);
  Napi::Value Rest(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);
  void SendEos(const Napi::CallbackInfo& info);
  Napi::Value Rewind(const Napi::CallbackInfo& info);
  void SetProperty(const Napi::CallbackInfo& info);
  void StampFrames(const Napi::CallbackInfo& info);
  void JoinLists(const Napi::CallbackInfo& info);
  Napi::Value FramesStamped(const Napi::CallbackInfo& info);
  void RequireOpen(Napi::Env env) const;

  static GstBusSyncReply OnMessage(GstBus* bus, GstMessage* message, gpointer data);
  static void FreeBus(gpointer data);

  // Null once closed. Work under way shares it: its descriptors and threads go with the last of them,
  // and not when the wrapper is collected, which may be much later.
  std::shared_ptr<GstElement> bin_;
  std::shared_ptr<Bus> bus_;
  std::shared_ptr<std::atomic<uint64_t>> stamped_ = std::make_shared<std::atomic<uint64_t>>(0);
};

// Stops `bin`; blocks until its streaming threads are gone.
void StopElement(GstElement* bin);

}  // namespace cap
