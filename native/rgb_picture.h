// A decoded picture as JavaScript gets it: packed RGB, and what came with it.
#pragma once

#include <gst/gst.h>
#include <napi.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace cap {

struct RgbPicture {
  std::unique_ptr<uint8_t[]> rgb;
  size_t size = 0;
  int width = 0, height = 0;
};

// Takes milliseconds: for pool threads.
std::optional<RgbPicture> ToRgb(GstSample* sample);

// `data`, `width` and `height`; the pixels go to JavaScript uncopied.
Napi::Object ToObject(Napi::Env env, RgbPicture& picture);

}  // namespace cap
