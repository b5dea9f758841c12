#include "wayland_grabber.h"

#include "wayland_image_copy.h"
#include "wayland_screencopy.h"

namespace cap {

namespace {

constexpr int kConstraintsMs = 5000;

}  // namespace

std::unique_ptr<WaylandGrabber> WaylandGrabber::Open(const Options& options, std::string& reason) {
  std::unique_ptr<WaylandGrabber> grabber(new WaylandGrabber());
  return grabber->Init(options, reason) ? std::move(grabber) : nullptr;
}

bool WaylandGrabber::Init(const Options& options, std::string& reason) {
  connection_ = WaylandConnection::Open(options.display, reason);
  if (!connection_ || !FindTarget(options, reason)) return false;
  if (output_) {
    output_transform_ = output_->transform;
    upright_ = Orientation::FromTransform(output_transform_).Upright(output_->width, output_->height);
  }
  if (toplevel_ || (connection_->copy_manager() && connection_->output_sources())) {
    if (!OpenImageCopy(options, reason)) return false;
  } else {
    copy_ = std::make_unique<WaylandScreencopy>(*connection_, *output_, options.cursor);
  }
  if (upright_.empty()) {
    reason = "what is to be captured has no size";
    return false;
  }
  area_ = ScreenArea(options.area);
  return area_.Fit(upright_, reason);
}

bool WaylandGrabber::FindTarget(const Options& options, std::string& reason) {
  if (!options.toplevel.empty()) {
    for (const WaylandToplevel& toplevel : connection_->toplevels()) {
      if (toplevel.identifier == options.toplevel && !toplevel.closed) toplevel_ = &toplevel;
    }
    if (!toplevel_) {
      reason = "there is no window " + options.toplevel;
    } else if (!connection_->CanCopyToplevels()) {
      reason = "the compositor lets no program capture windows";
    } else {
      return true;
    }
    return false;
  }
  if (!connection_->CanCopyOutputs()) {
    reason = "the compositor has neither ext-image-copy-capture-v1 nor wlr-screencopy-unstable-v1 version 3";
    return false;
  }
  for (const WaylandOutput& output : connection_->outputs()) {
    if (output.gone || (!options.output.empty() && output.name != options.output)) continue;
    output_ = &output;
    return true;
  }
  reason = options.output.empty() ? "the compositor has no monitor" : "there is no monitor " + options.output;
  return false;
}

bool WaylandGrabber::OpenImageCopy(const Options& options, std::string& reason) {
  auto copy = std::make_unique<WaylandImageCopy>(*connection_, output_, toplevel_, options.cursor);
  if (!connection_->WaitFor([&] { return copy->constrained() || copy->state() == WaylandCopy::State::kLost; },
                            kConstraintsMs)) {
    reason = connection_->WhyBroken("the compositor does not say what buffers it wants");
    return false;
  }
  if (copy->state() == WaylandCopy::State::kLost) {
    reason = copy->reason();
    return false;
  }
  const auto& constraints = copy->constraints();
  upright_ = Orientation::FromTransform(output_transform_).Upright(constraints.width, constraints.height);
  copy_ = std::move(copy);
  return true;
}

void WaylandGrabber::Request() {
  copy_->Request();
  connection_->Flush();
}

WaylandGrabber::News WaylandGrabber::Poll(std::string& reason) {
  if (!connection_->Dispatch()) {
    reason = connection_->WhyBroken();
  } else if (toplevel_ && toplevel_->closed) {
    reason = "the window was closed";
  } else if (output_ && output_->gone) {
    reason = "the monitor " + output_->name + " is gone";
  } else if (copy_->state() == WaylandCopy::State::kLost) {
    reason = copy_->reason();
  } else if (copy_->state() == WaylandCopy::State::kFailed) {
    reason = copy_->reason();
    copy_->Done();
    return News::kFailed;
  } else {
    if (output_ && output_->transform != output_transform_) {
      output_transform_ = output_->transform;
      copy_->OutputTurned();
    }
    if (copy_->state() != WaylandCopy::State::kReady) return News::kNothing;
    const PixelLayout& layout = copy_->buffer().layout();
    upright_ = copy_->orientation().Upright(layout.width, layout.height);
    if (area_.Fit(upright_, reason)) return News::kPicture;
  }
  return News::kLost;
}

bool WaylandGrabber::Read(bool all, const I420& picture, Rects& changed) {
  const Orientation& orientation = copy_->orientation();
  const bool told = !copy_->damage().empty() && orientation == read_as_;
  changed = pixels_.ReadChanged(copy_->buffer().pixels(), copy_->buffer().layout(), orientation,
                                all || !told ? nullptr : &copy_->damage(), area_.area(), picture);
  read_as_ = orientation;
  copy_->Done();
  return told;
}

}  // namespace cap
