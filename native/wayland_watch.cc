#include "wayland_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <string>

#include "failure.h"

namespace cap {

namespace {

// All that may be told apart of the monitors.
std::string LayoutOf(const WaylandConnection& connection) {
  std::string layout;
  for (const WaylandOutput& output : connection.outputs()) {
    if (output.gone || output.width == 0) continue;  // or not known yet
    for (int number : {static_cast<int>(output.global), output.x, output.y, output.width, output.height}) {
      layout += std::to_string(number) + ' ';
    }
    layout += std::to_string(output.transform) + ' ' + output.name + '\n';
  }
  return layout;
}

}  // namespace

Napi::Function WaylandWatch::Define(Napi::Env env) {
  return DefineClass(env, "WaylandWatch", {InstanceMethod<&WaylandWatch::CloseFromJs>("close")});
}

// new WaylandWatch(display, onEvent)
WaylandWatch::WaylandWatch(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Napi::Env env = info.Env();
  std::string reason;
  connection_ = WaylandConnection::Open(info[0].As<Napi::String>().Utf8Value(), reason);
  if (!connection_) Throw(env, "wayland", reason);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  events_ = std::make_unique<EventChannel>(env, info[1].As<Napi::Function>(), "cap wayland events", 64);
  thread_ = std::thread([this] { Watch(); });
}

WaylandWatch::~WaylandWatch() { Close(); }

void WaylandWatch::CloseFromJs(const Napi::CallbackInfo&) { Close(); }

void WaylandWatch::Close() {
  if (!thread_.joinable()) return;
  eventfd_write(wake_, 1);
  thread_.join();
  events_->Close();
  connection_.reset();
  close(wake_);
}

void WaylandWatch::Watch() {
  std::string layout = LayoutOf(*connection_);
  while (connection_->Dispatch()) {
    if (std::string now = LayoutOf(*connection_); now != layout) {
      layout = std::move(now);
      events_->Post({"layout", {}});
    }
    const short news = static_cast<short>(connection_->backed_up() ? POLLIN | POLLOUT : POLLIN);
    pollfd fds[2] = {{connection_->fd(), news, 0}, {wake_, POLLIN, 0}};
    if (poll(fds, 2, -1) > 0 && fds[1].revents) return;
  }
  events_->Post({"lost", {}});
}

}  // namespace cap
