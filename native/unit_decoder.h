// Decodes access units when it is asked to, on the thread that asks: nothing runs in between.
#pragma once

#include <gst/gst.h>

#include <memory>
#include <vector>

#include "gop_ring.h"

namespace cap {

class UnitDecoder {
 public:
  UnitDecoder();
  ~UnitDecoder();
  UnitDecoder(const UnitDecoder&) = delete;
  UnitDecoder& operator=(const UnitDecoder&) = delete;

  // False when there is no decoder on this machine.
  bool is_open() const { return decoder_ != nullptr; }

  // The number of the unit whose picture it has and after which it can go on; 0: none.
  uint64_t position() const { return position_; }

  // The picture of the last of `units`, which begin with a key frame or follow on `position`; null when they cannot be
  // decoded.
  std::shared_ptr<GstSample> Decode(const std::vector<KeptUnit>& units);

  const std::shared_ptr<GstSample>& picture() const { return picture_; }

 private:
  static GstFlowReturn OnPicture(GstPad* pad, GstObject* parent, GstBuffer* buffer);
  void Push(const KeptUnit& unit);
  void Drain();
  void Begin();

  GstElement* decoder_;
  GstPad* in_;
  GstPad* out_;
  std::shared_ptr<GstCaps> caps_;
  std::shared_ptr<GstSample> picture_;
  uint64_t position_ = 0, wanted_ = 0;
};

}  // namespace cap
