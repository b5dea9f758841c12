// Reads what a PipeWire node shows, or a part of it, into an I420 picture.
#pragma once

#include <memory>
#include <string>

#include "pipewire_connection.h"
#include "pipewire_stream.h"
#include "screen_area.h"
#include "screen_grabber.h"
#include "screen_pixels.h"

namespace cap {

class PipewireGrabber : public ScreenGrabber {
 public:
  ~PipewireGrabber() override;

  struct Options {
    int remote = -1;  // a socket to PipeWire, which is taken over; -1: the user's own daemon
    uint32_t node = 0;
    Rect area;  // empty: all of it, through its resizes
    int max_fps = 30;
  };

  // Connects, and waits until it is known what pictures will come. Null, with a reason, when none will.
  static std::unique_ptr<PipewireGrabber> Open(const Options& options, std::string& reason);

  // Nothing comes while it rests, and nothing costs; it goes on with a whole picture.
  void Rest();
  void Resume();

  void Request() override { wanted_ = true; }
  bool pending() const override { return wanted_; }
  News Poll(std::string& reason) override;
  int width() const override { return area_.area().width; }
  int height() const override { return area_.area().height; }
  bool Read(bool all, const I420& picture, Rects& changed) override;
  uint64_t presented_ns() const override { return stream_->presented_ns(); }
  int fd() const override { return connection_->fd(); }
  uint64_t check_ns() const override { return check_ns_; }
  bool waits_for_change() const override { return true; }

 private:
  PipewireGrabber() = default;
  bool Init(const Options& options, std::string& reason);

  std::unique_ptr<PipewireConnection> connection_;
  std::unique_ptr<PipewireStream> stream_;
  ScreenPixels pixels_;
  bool wanted_ = false;
  uint64_t check_ns_ = 0;
  ScreenArea area_;
};

}  // namespace cap
