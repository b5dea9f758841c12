// Hands what one pipeline makes to another that goes on when the first one ends: a camera that
// connects again, a file that starts over. Times are those of arrival, so they never step back.
#pragma once

#include <gst/app/gstappsink.h>
#include <gst/app/gstappsrc.h>
#include <napi.h>

#include <atomic>
#include <memory>
#include <mutex>

namespace cap {

class RelayCore {
 public:
  // `max_fps` replaces the frame rate in the caps of raw frames; 0 leaves coded ones as they are.
  RelayCore(GstElement* appsink, GstElement* appsrc, int max_fps);
  ~RelayCore();

  // Begins with what already waits in the appsink.
  void Start();
  void Close();

  uint64_t forwarded() const { return forwarded_; }

 private:
  static GstFlowReturn OnSample(GstAppSink* sink, gpointer data);
  void Forward();
  void ForwardCaps(GstCaps* caps);

  GstElement* appsink_;
  GstElement* appsrc_;
  const int max_fps_;
  std::mutex mutex_;  // keeps the order while what waited and what arrives are forwarded
  GstCaps* caps_ = nullptr;
  std::atomic<uint64_t> forwarded_{0};
};

class Relay : public Napi::ObjectWrap<Relay> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit Relay(const Napi::CallbackInfo& info);
  ~Relay() override;

 private:
  Napi::Value Forwarded(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<RelayCore> core_;
};

}  // namespace cap
