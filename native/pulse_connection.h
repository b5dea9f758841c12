// A connection to the sound server by libpulse, which PipeWire answers as well. One thread iterates its loop.
#pragma once

#include <pulse/pulseaudio.h>

#include <cstdint>
#include <functional>
#include <string>

namespace cap {

class PulseConnection {
 public:
  PulseConnection();
  ~PulseConnection();
  PulseConnection(const PulseConnection&) = delete;
  PulseConnection& operator=(const PulseConnection&) = delete;

  // Begins to connect, without starting a server. False, with a reason, when that fails at once.
  bool Begin(std::string& reason);

  // Lets the server go; `Begin` may follow.
  void End();

  bool begun() const { return context_ != nullptr; }
  bool ready() const { return context_ && pa_context_get_state(context_) == PA_CONTEXT_READY; }
  bool failed() const { return context_ && !PA_CONTEXT_IS_GOOD(pa_context_get_state(context_)); }
  pa_context* context() const { return context_; }

  // Why the last call failed, in words.
  std::string Error() const;

  // Sleeps until something comes from the server, at most until `deadline_ns` (CLOCK_MONOTONIC), and handles it.
  void Iterate(uint64_t deadline_ns);

  // Callable from any thread: ends the sleep of a running Iterate.
  void Wake() { pa_mainloop_wakeup(loop_); }

 private:
  pa_mainloop* loop_;
  pa_context* context_ = nullptr;
};

}  // namespace cap
