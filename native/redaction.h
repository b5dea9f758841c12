// Masks what must not be seen before anything else sees the picture: keeps the published picture, into which only what
// changed and may be shown is copied. All of it is black until it is told what to mask.
#pragma once

#include <gst/video/video.h>

#include <functional>
#include <memory>
#include <mutex>
#include <optional>

#include "rect.h"
#include "redaction_grid.h"
#include "shared_picture.h"
#include "window_masks.h"

namespace cap {

struct RedactionOptions {
  Rects regions;
  WindowMaskOptions windows;  // without patterns: none
  bool reads = false;         // text is looked for in what changed
  bool strict = false;        // and nothing is shown before
  uint64_t shown_unread_ms = 0;
};

// A part of the source's picture that is to be read: luma alone, without row padding.
struct UnreadPicture {
  std::unique_ptr<uint8_t[]> luma;
  Rect place;
};

struct RedactionStats {
  uint64_t masked_cells = 0, unread_cells = 0;
};

// Of any thread, unless said otherwise.
class Redaction {
 public:
  void Configure(RedactionOptions options, std::function<void()> on_unread);
  // Nobody takes pictures to read any more.
  void Close();

  // The streaming thread's: the picture that may be shown, and what changed in it since the last one.
  GstBuffer* Publish(GstVideoFrame* in, const Rects* damage, Rects& changed);
  // The next frame is the first one.
  void Forget();

  // What is to be read next; null while something is being read, or there is nothing.
  std::optional<UnreadPicture> Take();
  // What was taken was read, and that is where something matched.
  void Settle(const Rects& matched);
  // It could not be read: nothing unread is shown until something has been.
  void Fail();

  RedactionStats stats() const;

 private:
  Rects Draw(const RedactionGrid::Changes& changes, GstVideoFrame* in);
  void MaskWindows();
  void PrepareRead(GstVideoFrame* in);

  mutable std::mutex mutex_;
  std::optional<RedactionOptions> options_;
  std::function<void()> on_unread_;
  std::optional<RedactionGrid> grid_;
  std::unique_ptr<SharedPicture> published_;
  std::unique_ptr<WindowMasks> windows_;  // of the streaming thread; opened with the first frame
  uint32_t frame_ = 0;
  bool failed_ = false;
  std::optional<RedactionGrid::Band> band_;  // that is being read, or waits to be taken
  std::optional<UnreadPicture> unread_;
};

}  // namespace cap
