// A recording from one device of the sound server that goes on whatever happens to the device and the server.
#pragma once

#include <pulse/pulseaudio.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "pulse_connection.h"
#include "stream_anchor.h"

namespace cap {

class PulseRecording {
 public:
  enum class Follow {
    kOutput,      // what the default output plays, whichever that is
    kMicrophone,  // the default input, as long as it is one
    kDevice,      // the device of that name
  };
  struct Options {
    Follow follow = Follow::kOutput;
    std::string device;
    bool watch_streams = false;
  };
  struct Listener {
    std::function<void(const std::string& reason)> interrupted;
    std::function<void()> resumed;
    // What plays may have changed. Called for every change when `watch_streams` is set, and after each connection.
    std::function<void()> streams_changed;
  };

  PulseRecording(Options options, Listener listener);
  ~PulseRecording();

  // Sleeps until something comes, at most until `deadline_ns`; connects, and connects again, as needed.
  void Iterate(uint64_t deadline_ns);

  // One piece of what has come: interleaved frames, null for a hole in the recording.
  struct Piece {
    const int16_t* samples;
    size_t frames;
    int64_t first_ns;  // when its first frame was heard, CLOCK_MONOTONIC
  };
  // Hands all that has come to `take`.
  void Read(const std::function<void(const Piece&)>& take);

  // Callable from any thread.
  void Wake() { connection_.Wake(); }

 private:
  static void OnContext(pa_context* context, void* self);
  static void OnEvent(pa_context* context, pa_subscription_event_type_t type, uint32_t index, void* self);
  static void OnServer(pa_context* context, const pa_server_info* info, void* self);
  static void OnSource(pa_context* context, const pa_source_info* info, int end, void* self);
  void Connected();
  void FindDevice();
  void LookAt(const std::string& device);
  void OpenStream(const pa_source_info& source);
  void CloseStream();
  static void OnProgress(pa_stream* stream, int success, void* self);
  void AskProgress(uint64_t now_ns);
  void Interrupt(const std::string& reason);
  void Check();

  const Options options_;
  const Listener listener_;
  PulseConnection connection_;
  pa_stream* stream_ = nullptr;
  std::string wanted_;     // the device that is to be recorded
  std::string current_;    // the device that the stream was opened on
  uint64_t begun_ns_ = 0;  // to connect
  uint64_t retry_ns_ = 0;
  StreamAnchor anchor_;
  uint64_t ask_ns_ = 0;  // when to ask for progress again
  bool asked_ = false;   // and the answer has not come
  bool interrupted_ = false;
  bool set_up_ = false;
};

}  // namespace cap
