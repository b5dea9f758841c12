#include "pipewire_grabber.h"

#include <algorithm>

namespace cap {

namespace {

constexpr int kFormatMs = 10000;

}  // namespace

std::unique_ptr<PipewireGrabber> PipewireGrabber::Open(const Options& options, std::string& reason) {
  std::unique_ptr<PipewireGrabber> grabber(new PipewireGrabber());
  return grabber->Init(options, reason) ? std::move(grabber) : nullptr;
}

PipewireGrabber::~PipewireGrabber() {
  if (!stream_) return;
  const PipewireConnection::Lock lock(*connection_);
  stream_.reset();
}

bool PipewireGrabber::Init(const Options& options, std::string& reason) {
  connection_ = PipewireConnection::Open(options.remote, options.node, reason);
  if (!connection_) return false;
  const PipewireConnection::Lock lock(*connection_);
  // A stream to a node that is not there would wait for it in silence.
  if (!connection_->watched_exists()) {
    reason = "PipeWire has no node " + std::to_string(options.node);
    return false;
  }
  stream_ = std::make_unique<PipewireStream>(*connection_, options.node, options.max_fps);
  auto settled = [this] { return stream_->format() || !stream_->lost().empty() || !connection_->watched_exists(); };
  connection_->WaitFor(settled, kFormatMs);
  if (!stream_->format()) {
    reason = connection_->WhyBroken(
        "PipeWire shows nothing that can be read, or its session manager, such as WirePlumber, does not connect it");
    return false;
  }
  area_ = ScreenArea(options.area);
  return area_.Fit({0, 0, stream_->format()->layout.width, stream_->format()->layout.height}, reason);
}

void PipewireGrabber::Rest() {
  const PipewireConnection::Lock lock(*connection_);
  stream_->Rest();
  wanted_ = false;
}

void PipewireGrabber::Resume() {
  const PipewireConnection::Lock lock(*connection_);
  stream_->Resume();
}

PipewireGrabber::News PipewireGrabber::Poll(std::string& reason) {
  const PipewireConnection::Lock lock(*connection_);
  if (!connection_->Check()) {
    reason = connection_->WhyBroken();
  } else if (!connection_->watched_exists()) {
    reason = "what was captured is gone";
  } else if (!stream_->lost().empty()) {
    reason = stream_->lost();
  } else {
    check_ns_ = std::min(connection_->check_ns(), stream_->BeginAgain());
    if (!wanted_ || !stream_->Hold()) return News::kNothing;
    wanted_ = false;
    const PixelLayout& layout = stream_->layout();
    if (area_.Fit(stream_->orientation().Upright(layout.width, layout.height), reason)) return News::kPicture;
  }
  return News::kLost;
}

bool PipewireGrabber::Read(bool all, const I420& picture, Rects& changed) {
  const PipewireConnection::Lock lock(*connection_);
  const bool told = stream_->damage().has_value();
  if (const uint8_t* pixels = stream_->Begin()) {
    changed = pixels_.ReadChanged(pixels, stream_->layout(), stream_->orientation(),
                                  all || !told ? nullptr : &*stream_->damage(), area_.area(), picture);
  }
  stream_->Done();
  return told;
}

}  // namespace cap
