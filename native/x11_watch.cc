#include "x11_watch.h"

#include <X11/extensions/Xrandr.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "failure.h"
#include "x11_display.h"

namespace cap {

Napi::Function X11Watch::Define(Napi::Env env) {
  return DefineClass(env, "X11Watch", {InstanceMethod<&X11Watch::CloseFromJs>("close")});
}

// new X11Watch(displayName, windowId or 0 for the root, onEvent)
X11Watch::X11Watch(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Napi::Env env = info.Env();
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  display_ = OpenDisplay(name);
  if (!display_) Throw(env, "display", "cannot open X display \"" + name + "\"");
  const auto id = static_cast<Window>(info[1].As<Napi::Number>().Int64Value());
  window_ = id ? id : DefaultRootWindow(display_);
  XSelectInput(display_, window_, StructureNotifyMask);
  int error;
  if (!id && XRRQueryExtension(display_, &randr_event_, &error)) {
    XRRSelectInput(display_, window_, RRScreenChangeNotifyMask | RRCrtcChangeNotifyMask | RROutputChangeNotifyMask);
  }
  XWindowAttributes attributes;
  if (!XGetWindowAttributes(display_, window_, &attributes)) {
    XCloseDisplay(display_);
    display_ = nullptr;
    Throw(env, "window", "there is no window " + std::to_string(id));
  }
  width_ = attributes.width;
  height_ = attributes.height;
  if (pipe2(wake_, O_CLOEXEC) != 0) Throw(env, "internal", "cannot make a pipe");
  events_ = std::make_unique<EventChannel>(env, info[2].As<Napi::Function>(), "cap x11 events", 64);
  thread_ = std::thread([this] { Watch(); });
}

X11Watch::~X11Watch() { Close(); }

void X11Watch::CloseFromJs(const Napi::CallbackInfo&) { Close(); }

void X11Watch::Close() {
  if (!thread_.joinable()) return;
  (void)!write(wake_[1], "", 1);
  thread_.join();
  events_->Close();
  XCloseDisplay(display_);
  close(wake_[0]);
  close(wake_[1]);
}

// Handles what is queued; false when the window or the server is gone.
bool X11Watch::Drain() {
  bool layout = false;
  while (XPending(display_) > 0) {
    XEvent event;
    XNextEvent(display_, &event);
    // A monitor that is only defined anew (RRSetMonitor) tells the root window's clients by ConfigureNotify.
    layout |= randr_event_ && (event.type >= randr_event_ || event.type == ConfigureNotify);
    if (event.type == DestroyNotify) {
      events_->Post({"closed", {}});
      return false;
    }
    if (event.type == UnmapNotify) events_->Post({"unmapped", {}});
    if (event.type == MapNotify) events_->Post({"mapped", {}});
    if (event.type == ConfigureNotify && (event.xconfigure.width != width_ || event.xconfigure.height != height_)) {
      width_ = event.xconfigure.width;
      height_ = event.xconfigure.height;
      events_->Post({"resized", {{"width", double(width_)}, {"height", double(height_)}}});
    }
  }
  if (layout) events_->Post({"layout", {}});
  return true;
}

void X11Watch::Watch() {
  pollfd fds[2] = {{ConnectionNumber(display_), POLLIN, 0}, {wake_[0], POLLIN, 0}};
  while (Drain()) {
    if (poll(fds, 2, -1) < 0) continue;
    if (fds[1].revents) return;
    if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) {
      events_->Post({"display-lost", {}});
      return;
    }
  }
}

}  // namespace cap
