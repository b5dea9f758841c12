// A connection to a Wayland compositor, with what of it can be captured: its outputs and its windows.
// For one thread at a time. No call waits without a limit.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "wayland_protocols.h"

namespace cap {

// A monitor, as the compositor describes it.
struct WaylandOutput {
  uint32_t global = 0;
  wl_output* proxy = nullptr;
  Proxy xdg;  // tells where it is, and its name where wl_output is too old to
  std::string name, description;
  int x = 0, y = 0;           // in the compositor's space
  int width = 0, height = 0;  // of its mode, before `transform`
  int transform = 0;          // enum wl_output.transform
  bool gone = false;
};

// A window.
struct WaylandToplevel {
  Proxy handle;
  std::string identifier, title, app_id;
  bool closed = false;
};

class WaylandConnection {
 public:
  // Connects and learns what there is. `display` is a socket's name or path; empty is $WAYLAND_DISPLAY.
  // Null, with a reason, when nothing there answers in time.
  static std::unique_ptr<WaylandConnection> Open(const std::string& display, std::string& reason);
  ~WaylandConnection();
  WaylandConnection(const WaylandConnection&) = delete;
  WaylandConnection& operator=(const WaylandConnection&) = delete;

  // Sends what waits and handles what has come, without blocking. False once the connection is broken.
  bool Dispatch();
  // Sends what waits, as far as the compositor takes it.
  void Flush();
  // Waits until events have made that true. False when the connection breaks before, or time is up.
  bool WaitFor(const std::function<bool()>& condition, int timeout_ms);
  // Why the connection broke, or `otherwise` when it is whole; without a full stop.
  std::string WhyBroken(const std::string& otherwise = "the Wayland compositor is gone") const;

  int fd() const { return wl_display_get_fd(display_); }
  // Whether the descriptor must be watched for writing too.
  bool backed_up() const { return backed_up_; }

  // In the order of their announcement. Pointers to elements stay valid.
  const std::list<WaylandOutput>& outputs() const { return outputs_; }
  const std::list<WaylandToplevel>& toplevels() const { return toplevels_; }

  wl_shm* shm() const { return shm_; }
  // Null where the compositor lacks the protocol.
  wl_proxy* copy_manager() const { return copy_manager_.get(); }
  wl_proxy* output_sources() const { return output_sources_.get(); }
  wl_proxy* toplevel_sources() const { return toplevel_sources_.get(); }
  wl_proxy* screencopy() const { return screencopy_.get(); }

  bool CanCopyOutputs() const { return shm_ && ((copy_manager_ && output_sources_) || screencopy_); }
  bool CanCopyToplevels() const { return shm_ && copy_manager_ && toplevel_sources_ && toplevel_list_; }

 private:
  WaylandConnection() = default;
  bool Init(const std::string& display, std::string& reason);
  Proxy Bind(uint32_t name, const wl_interface& interface, uint32_t version, uint32_t destroy);
  void AddOutput(uint32_t name, uint32_t version);
  void AskXdgOutputs();
  bool Roundtrip();

  static void OnGlobal(void* data, wl_registry*, uint32_t name, const char* interface, uint32_t version);
  static void OnGlobalRemove(void* data, wl_registry*, uint32_t name);
  static void OnToplevel(void* data, wl_proxy*, wl_proxy* handle);

  wl_display* display_ = nullptr;
  wl_registry* registry_ = nullptr;
  wl_shm* shm_ = nullptr;
  bool backed_up_ = false;
  Proxy copy_manager_, output_sources_, toplevel_sources_, toplevel_list_, xdg_outputs_, screencopy_;
  std::list<WaylandOutput> outputs_;
  std::list<WaylandToplevel> toplevels_;
};

}  // namespace cap
