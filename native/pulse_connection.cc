#include "pulse_connection.h"

#include <algorithm>

#include "frame_stamper.h"

namespace cap {

PulseConnection::PulseConnection() : loop_(pa_mainloop_new()) {}

PulseConnection::~PulseConnection() {
  End();
  pa_mainloop_free(loop_);
}

bool PulseConnection::Begin(std::string& reason) {
  End();
  context_ = pa_context_new(pa_mainloop_get_api(loop_), "cap");
  if (pa_context_connect(context_, nullptr, PA_CONTEXT_NOAUTOSPAWN, nullptr) >= 0) return true;
  reason = Error();
  End();
  return false;
}

void PulseConnection::End() {
  if (!context_) return;
  pa_context_disconnect(context_);
  pa_context_unref(context_);
  context_ = nullptr;
}

std::string PulseConnection::Error() const {
  const int code = context_ ? pa_context_errno(context_) : PA_ERR_CONNECTIONREFUSED;
  return pa_strerror(code);
}

void PulseConnection::Iterate(uint64_t deadline_ns) {
  const uint64_t now = MonotonicNs();
  const uint64_t wait_us = deadline_ns > now ? (deadline_ns - now + 999) / 1000 : 0;
  if (pa_mainloop_prepare(loop_, static_cast<int>(std::min<uint64_t>(wait_us, 1000000))) < 0) return;
  if (pa_mainloop_poll(loop_) >= 0) pa_mainloop_dispatch(loop_);
}

}  // namespace cap
