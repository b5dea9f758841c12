// An I420 picture that lives on from frame to frame, and goes downstream without being copied.
#pragma once

#include <gst/video/video.h>

#include <memory>

#include "plane_scaler.h"

namespace cap {

// Only changed parts are written for the next frame. Downstream reads it while it is pushed and
// must have let go of it by the next frame; if some element has not, that one keeps the old
// picture and a copy takes its place here.
class SharedPicture {
 public:
  SharedPicture(int width, int height);

  // To be called before writing.
  void MakeWritable();

  const I420& view() const { return memory_->view; }

  // A buffer with the picture's memory, laid out as GstVideoInfo has it.
  GstBuffer* ToBuffer() const;

 private:
  struct Memory {
    std::unique_ptr<uint8_t, void (*)(void*)> data{nullptr, g_free};
    I420 view;
  };
  std::shared_ptr<Memory> NewMemory() const;

  GstVideoInfo info_;
  std::shared_ptr<Memory> memory_;
};

}  // namespace cap
