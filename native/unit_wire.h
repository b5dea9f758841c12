// Access units between two processes of one machine, over a Unix stream socket: messages forth, each a
// head and `size` bytes, and single bytes back. Both ends are the same build, so numbers are the host's,
// and times are of the one CLOCK_MONOTONIC.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace cap::wire {

enum Kind : uint32_t {
  kHello = 1,    // value: 1 when the units come from elsewhere, and nobody can ask for a key frame; no bytes
  kCaps = 2,     // bytes: the units' caps as text, from here on
  kUnit = 3,     // value: capture time in nanoseconds; bytes: the access unit
  kKeyUnit = 4,  // the same, with a key frame
};

struct Head {
  uint32_t kind;
  uint32_t size;
  uint64_t value;
};

// What the receiver sends back. On each connection nobody watches until it says so.
constexpr char kWantsKeyFrame = 'K', kWatched = 'W', kUnwatched = 'U';

// No access unit is larger: an 8K picture without any compression.
constexpr uint32_t kMostBytes = 64u << 20;

// Whole transfers on a blocking socket; false when the other side is gone, shut down or out of time.
bool SendAll(int fd, const void* data, size_t size);
bool ReceiveAll(int fd, void* data, size_t size);

// A socket that listens at `name` (-1: errno says why) and one connected to it. Names are of Linux's abstract
// namespace, which leaves nothing in a folder. Anybody on the machine may connect: see IsOwn.
int Listen(const std::string& name);
int Connect(const std::string& name);

// Whether the process at the other end of a connection has our user.
bool IsOwn(int fd);

// An eventfd's counter, up by one, and back to zero.
void Notify(int event_fd);
void Acknowledge(int event_fd);

}  // namespace cap::wire
