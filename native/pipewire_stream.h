// A PipeWire node's pictures: the newest one, and what changed since the one that was read before.
#pragma once

#include <pipewire/pipewire.h>

#include <optional>
#include <string>

#include "pipewire_connection.h"
#include "pipewire_format.h"
#include "rect.h"
#include "screen_pixels.h"

namespace cap {

// All of it is used with the connection's lock held.
class PipewireStream {
 public:
  // Of at most `max_fps` pictures a second. The connection must outlive this.
  PipewireStream(PipewireConnection& connection, uint32_t node, int max_fps);
  ~PipewireStream();
  PipewireStream(const PipewireStream&) = delete;
  PipewireStream& operator=(const PipewireStream&) = delete;

  // Why there will be no more pictures; empty while there may be.
  const std::string& lost() const { return lost_; }
  // The format that was agreed on, if it was.
  const std::optional<PipewireFormat>& format() const { return format_; }

  // Pictures stop, and go on as at the beginning.
  void Rest();
  void Resume();

  // Producers give a picture when a stream begins, but PipeWire may lose it while buffers are still under way, and
  // on a still screen no other follows: then it is begun again, a few times. Returns when to call this again.
  uint64_t BeginAgain();

  // Whether there is a picture. If so it stays the newest until Done: this describes it, until then.
  bool Hold();
  const PixelLayout& layout() const { return layout_; }
  const Orientation& orientation() const { return orientation_; }
  // What changed since the picture before, in the layout; nothing when that is not known.
  const std::optional<Rects>& damage() const { return damage_; }
  // CLOCK_MONOTONIC as far as the producer's clock is that; 0 when it did not say.
  uint64_t presented_ns() const { return presented_ns_; }
  // Its pixels. Null when they cannot be read, or not any more.
  const uint8_t* Begin();
  void Done();

 private:
  struct Events;
  struct Mapping;

  void SetFormat(const spa_pod* pod);
  void Map(pw_buffer* buffer);
  void TakeAll();
  void Take(pw_buffer* buffer);
  void TakeDamage(const spa_buffer* buffer, const Rect& crop);
  void Lose(std::string why);

  PipewireConnection& connection_;
  pw_stream* stream_ = nullptr;
  spa_hook hook_{};
  const int max_fps_;
  bool dmabuf_ = true;  // is asked for
  std::string lost_;
  std::optional<PipewireFormat> format_;
  uint64_t blank_since_ns_ = 0;  // no picture of this format has come; 0: one has
  int begun_again_ = 0;
  bool resting_ = false;
  pw_buffer* held_ = nullptr;
  bool frozen_ = false, reading_ = false;
  PixelLayout layout_;
  size_t offset_ = 0;  // of the layout's first pixel in the mapping
  Orientation orientation_;
  std::optional<Rects> damage_;
  uint64_t presented_ns_ = 0;
  uint64_t sequence_ = 0;  // of the last buffer; 0 when it has none
};

}  // namespace cap
