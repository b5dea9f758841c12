// Copies by ext-image-copy-capture-v1, into shared memory.
#pragma once

#include <vector>

#include "wayland_copy.h"

namespace cap {

class WaylandImageCopy : public WaylandCopy {
 public:
  // One of output and toplevel; the connection must outlive this.
  WaylandImageCopy(const WaylandConnection& connection, const WaylandOutput* output, const WaylandToplevel* toplevel,
                   bool cursor);

  void Request() override;

  // What buffers must be like, once the compositor has said it.
  struct Constraints {
    int width = 0, height = 0;
    std::vector<uint32_t> formats;
  };
  bool constrained() const { return constrained_; }
  const Constraints& constraints() const { return constraints_; }

 private:
  struct SessionListener;
  struct FrameListener;

  void TakeConstraints();
  bool ChooseLayout(PixelLayout& layout);
  void Capture();
  void OnFailed(uint32_t why);

  wl_shm* shm_;
  Proxy source_, session_, frame_;
  Constraints constraints_, incoming_;
  bool constrained_ = false;
  bool any_formats_ = false;  // of the incoming ones, readable or not
};

}  // namespace cap
