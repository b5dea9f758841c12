// Copies of an output by wlr-screencopy-unstable-v1, version 3, into shared memory.
#pragma once

#include "wayland_copy.h"

namespace cap {

class WaylandScreencopy : public WaylandCopy {
 public:
  // The connection must outlive this.
  WaylandScreencopy(const WaylandConnection& connection, const WaylandOutput& output, bool cursor)
      : connection_(connection), output_(output), cursor_(cursor) {}

  void Request() override;
  void OutputTurned() override;

 private:
  struct FrameListener;

  void OnBuffer(const PixelLayout& layout);
  void OnOffersEnd();
  void OnReady();

  const WaylandConnection& connection_;
  const WaylandOutput& output_;
  const bool cursor_;
  Proxy frame_;
  PixelLayout offer_;  // the best so far, all zero when none can be read
  std::string offers_;
  uint32_t flags_ = 0;
};

}  // namespace cap
