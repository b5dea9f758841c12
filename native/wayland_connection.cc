#include "wayland_connection.h"

#include <poll.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "frame_stamper.h"

namespace cap {

namespace {

constexpr int kAnswerMs = 5000;

// wl_output
void OnGeometry(void* data, wl_output*, int32_t x, int32_t y, int32_t, int32_t, int32_t, const char*, const char*,
                int32_t transform) {
  static_cast<WaylandOutput*>(data)->x = x;
  static_cast<WaylandOutput*>(data)->y = y;
  static_cast<WaylandOutput*>(data)->transform = transform;
}
void OnMode(void* data, wl_output*, uint32_t flags, int32_t width, int32_t height, int32_t) {
  if (!(flags & WL_OUTPUT_MODE_CURRENT)) return;
  static_cast<WaylandOutput*>(data)->width = width;
  static_cast<WaylandOutput*>(data)->height = height;
}
void OnOutputDone(void*, wl_output*) {}
void OnScale(void*, wl_output*, int32_t) {}
void OnOutputName(void* data, wl_output*, const char* name) { static_cast<WaylandOutput*>(data)->name = name; }
void OnOutputDescription(void* data, wl_output*, const char* text) {
  static_cast<WaylandOutput*>(data)->description = text;
}
constexpr wl_output_listener kOutputListener = {OnGeometry, OnMode,       OnOutputDone,
                                                OnScale,    OnOutputName, OnOutputDescription};

// zxdg_output_v1
struct XdgOutputListener {
  void (*logical_position)(void*, wl_proxy*, int32_t, int32_t) = [](void* data, wl_proxy*, int32_t x, int32_t y) {
    static_cast<WaylandOutput*>(data)->x = x;
    static_cast<WaylandOutput*>(data)->y = y;
  };
  void (*logical_size)(void*, wl_proxy*, int32_t, int32_t) = [](void*, wl_proxy*, int32_t, int32_t) {};
  void (*done)(void*, wl_proxy*) = [](void*, wl_proxy*) {};
  void (*name)(void*, wl_proxy*, const char*) = [](void* data, wl_proxy*, const char* name) {
    static_cast<WaylandOutput*>(data)->name = name;
  };
  void (*description)(void*, wl_proxy*, const char*) = [](void* data, wl_proxy*, const char* text) {
    static_cast<WaylandOutput*>(data)->description = text;
  };
};
const XdgOutputListener kXdgOutputListener;

// ext_foreign_toplevel_handle_v1
struct ToplevelHandleListener {
  void (*closed)(void*, wl_proxy*) = [](void* data, wl_proxy*) { static_cast<WaylandToplevel*>(data)->closed = true; };
  void (*done)(void*, wl_proxy*) = [](void*, wl_proxy*) {};
  void (*title)(void*, wl_proxy*, const char*) = [](void* data, wl_proxy*, const char* text) {
    static_cast<WaylandToplevel*>(data)->title = text;
  };
  void (*app_id)(void*, wl_proxy*, const char*) = [](void* data, wl_proxy*, const char* text) {
    static_cast<WaylandToplevel*>(data)->app_id = text;
  };
  void (*identifier)(void*, wl_proxy*, const char*) = [](void* data, wl_proxy*, const char* text) {
    static_cast<WaylandToplevel*>(data)->identifier = text;
  };
};
const ToplevelHandleListener kToplevelHandleListener;

void OnSyncDone(void* data, wl_callback*, uint32_t) { *static_cast<bool*>(data) = true; }
constexpr wl_callback_listener kSyncListener = {OnSyncDone};

// libwayland writes to stderr what its errors tell as well.
void Silence(const char*, va_list) {}

}  // namespace

std::unique_ptr<WaylandConnection> WaylandConnection::Open(const std::string& display, std::string& reason) {
  static const bool silenced = (wl_log_set_handler_client(Silence), true);
  (void)silenced;
  std::unique_ptr<WaylandConnection> connection(new WaylandConnection());
  return connection->Init(display, reason) ? std::move(connection) : nullptr;
}

bool WaylandConnection::Init(const std::string& display, std::string& reason) {
  display_ = wl_display_connect(display.empty() ? nullptr : display.c_str());
  if (!display_) {
    const int error = errno;
    const bool nowhere = !display.empty() && display[0] != '/' && !getenv("XDG_RUNTIME_DIR");
    reason = "cannot open Wayland display \"" + display +
             "\": " + (nowhere ? "XDG_RUNTIME_DIR is not set" : std::strerror(error));
    return false;
  }
  registry_ = wl_display_get_registry(display_);
  static constexpr wl_registry_listener listener = {OnGlobal, OnGlobalRemove};
  wl_registry_add_listener(registry_, &listener, this);
  // The first answer brings the globals, the second what those have to say.
  bool answered = Roundtrip();
  if (answered) {
    AskXdgOutputs();
    answered = Roundtrip();
  }
  if (answered) return true;
  reason = WhyBroken("the Wayland compositor at \"" + display + "\" does not answer");
  return false;
}

WaylandConnection::~WaylandConnection() {
  if (!display_) return;
  for (WaylandOutput& output : outputs_) {
    output.xdg.reset();
    wl_output_destroy(output.proxy);
  }
  toplevels_.clear();
  for (Proxy* proxy :
       {&copy_manager_, &output_sources_, &toplevel_sources_, &toplevel_list_, &xdg_outputs_, &screencopy_}) {
    proxy->reset();
  }
  if (shm_) wl_shm_destroy(shm_);
  if (registry_) wl_registry_destroy(registry_);
  wl_display_flush(display_);
  wl_display_disconnect(display_);
}

Proxy WaylandConnection::Bind(uint32_t name, const wl_interface& interface, uint32_t version, uint32_t destroy) {
  auto* object = static_cast<wl_proxy*>(wl_registry_bind(registry_, name, &interface, version));
  return Proxy(object, DestroyProxy{destroy});
}

void WaylandConnection::AddOutput(uint32_t name, uint32_t version) {
  WaylandOutput& output = outputs_.emplace_back();
  output.global = name;
  output.proxy =
      static_cast<wl_output*>(wl_registry_bind(registry_, name, &wl_output_interface, std::min(version, 4u)));
  wl_output_add_listener(output.proxy, &kOutputListener, &output);
}

void WaylandConnection::OnGlobal(void* data, wl_registry* registry, uint32_t name, const char* interface,
                                 uint32_t version) {
  auto& self = *static_cast<WaylandConnection*>(data);
  auto is = [&](const wl_interface& wanted) { return std::strcmp(interface, wanted.name) == 0; };
  if (is(wl_output_interface)) {
    self.AddOutput(name, version);
  } else if (is(wl_shm_interface) && !self.shm_) {
    self.shm_ = static_cast<wl_shm*>(wl_registry_bind(registry, name, &wl_shm_interface, 1));
  } else if (is(kCopyManagerInterface)) {
    self.copy_manager_ = self.Bind(name, kCopyManagerInterface, 1, kDestroyCopyManager);
  } else if (is(kOutputSourceManagerInterface)) {
    self.output_sources_ = self.Bind(name, kOutputSourceManagerInterface, 1, kDestroySourceManager);
  } else if (is(kToplevelSourceManagerInterface)) {
    self.toplevel_sources_ = self.Bind(name, kToplevelSourceManagerInterface, 1, kDestroySourceManager);
  } else if (is(kToplevelListInterface)) {
    struct Listener {
      void (*toplevel)(void*, wl_proxy*, wl_proxy*) = OnToplevel;
      void (*finished)(void*, wl_proxy*) = [](void*, wl_proxy*) {};
    };
    static const Listener listener;
    self.toplevel_list_ = self.Bind(name, kToplevelListInterface, 1, kDestroyToplevelList);
    Listen(self.toplevel_list_, listener, &self);
  } else if (is(kXdgOutputManagerInterface) && version >= 2) {
    self.xdg_outputs_ = self.Bind(name, kXdgOutputManagerInterface, std::min(version, 3u), kDestroyXdgOutputManager);
  } else if (is(kScreencopyManagerInterface) && version >= 3) {
    self.screencopy_ = self.Bind(name, kScreencopyManagerInterface, 3, kDestroyScreencopyManager);
  }
}

void WaylandConnection::OnGlobalRemove(void* data, wl_registry*, uint32_t name) {
  for (WaylandOutput& output : static_cast<WaylandConnection*>(data)->outputs_) {
    if (output.global == name) output.gone = true;
  }
}

void WaylandConnection::OnToplevel(void* data, wl_proxy*, wl_proxy* handle) {
  WaylandToplevel& toplevel = static_cast<WaylandConnection*>(data)->toplevels_.emplace_back();
  toplevel.handle = Proxy(handle, DestroyProxy{kDestroyToplevelHandle});
  Listen(toplevel.handle, kToplevelHandleListener, &toplevel);
}

// wl_output tells its name since version 4; where it is, wlroots tells only here.
void WaylandConnection::AskXdgOutputs() {
  if (!xdg_outputs_) return;
  for (WaylandOutput& output : outputs_) {
    output.xdg =
        Create(xdg_outputs_.get(), kGetXdgOutput, kXdgOutputInterface, kDestroyXdgOutput, nullptr, output.proxy);
    Listen(output.xdg, kXdgOutputListener, &output);
  }
}

void WaylandConnection::Flush() { backed_up_ = wl_display_flush(display_) < 0 && errno == EAGAIN; }

bool WaylandConnection::Dispatch() {
  while (wl_display_prepare_read(display_) != 0) {
    if (wl_display_dispatch_pending(display_) < 0) return false;
  }
  Flush();
  pollfd readable{fd(), POLLIN, 0};
  if (poll(&readable, 1, 0) > 0) {
    if (wl_display_read_events(display_) < 0) return false;
  } else {
    wl_display_cancel_read(display_);
  }
  if (wl_display_dispatch_pending(display_) < 0) return false;
  Flush();
  return true;
}

bool WaylandConnection::WaitFor(const std::function<bool()>& condition, int timeout_ms) {
  const uint64_t deadline = MonotonicNs() + static_cast<uint64_t>(timeout_ms) * 1000000;
  while (Dispatch()) {
    if (condition()) return true;
    const uint64_t now = MonotonicNs();
    if (now >= deadline) return false;
    pollfd ready{fd(), static_cast<short>(backed_up_ ? POLLIN | POLLOUT : POLLIN), 0};
    poll(&ready, 1, static_cast<int>((deadline - now) / 1000000) + 1);
  }
  return false;
}

// Waits until the compositor has answered everything sent before.
bool WaylandConnection::Roundtrip() {
  bool done = false;
  wl_callback* callback = wl_display_sync(display_);
  wl_callback_add_listener(callback, &kSyncListener, &done);
  const bool answered = WaitFor([&] { return done; }, kAnswerMs);
  wl_callback_destroy(callback);
  return answered;
}

std::string WaylandConnection::WhyBroken(const std::string& otherwise) const {
  const int error = wl_display_get_error(display_);
  if (error == 0) return otherwise;
  if (error != EPROTO) return "the Wayland compositor is gone";
  const wl_interface* interface = nullptr;
  const uint32_t code = wl_display_get_protocol_error(display_, &interface, nullptr);
  return std::string("the Wayland compositor ended the connection: error ") + std::to_string(code) + " of " +
         (interface ? interface->name : "an unknown object");
}

}  // namespace cap
