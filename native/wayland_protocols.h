// The Wayland protocol extensions that capture needs, as libwayland's interface tables: Debian 12's
// wayland-protocols is older than ext-image-copy-capture-v1, and wlr-screencopy is not in it at all.
#pragma once

#include <wayland-client.h>

#include <memory>

namespace cap {

extern const wl_interface kCaptureSourceInterface;          // ext_image_capture_source_v1
extern const wl_interface kOutputSourceManagerInterface;    // ext_output_image_capture_source_manager_v1
extern const wl_interface kToplevelSourceManagerInterface;  // ext_foreign_toplevel_image_capture_source_manager_v1
extern const wl_interface kCopyManagerInterface;            // ext_image_copy_capture_manager_v1
extern const wl_interface kCopySessionInterface;            // ext_image_copy_capture_session_v1
extern const wl_interface kCopyFrameInterface;              // ext_image_copy_capture_frame_v1
extern const wl_interface kToplevelListInterface;           // ext_foreign_toplevel_list_v1
extern const wl_interface kToplevelHandleInterface;         // ext_foreign_toplevel_handle_v1
extern const wl_interface kXdgOutputManagerInterface;       // zxdg_output_manager_v1
extern const wl_interface kXdgOutputInterface;              // zxdg_output_v1
extern const wl_interface kScreencopyManagerInterface;      // zwlr_screencopy_manager_v1
extern const wl_interface kScreencopyFrameInterface;        // zwlr_screencopy_frame_v1

// Requests by their position in the protocol.
enum CaptureSourceRequest : uint32_t { kDestroySource = 0 };
enum SourceManagerRequest : uint32_t { kCreateSource = 0, kDestroySourceManager = 1 };
enum CopyManagerRequest : uint32_t { kCreateSession = 0, kDestroyCopyManager = 2 };
enum CopySessionRequest : uint32_t { kCreateFrame = 0, kDestroySession = 1 };
enum CopyFrameRequest : uint32_t { kDestroyFrame = 0, kAttachBuffer = 1, kDamageBuffer = 2, kCapture = 3 };
enum ToplevelListRequest : uint32_t { kDestroyToplevelList = 1 };
enum ToplevelHandleRequest : uint32_t { kDestroyToplevelHandle = 0 };
enum XdgOutputManagerRequest : uint32_t { kDestroyXdgOutputManager = 0, kGetXdgOutput = 1 };
enum XdgOutputRequest : uint32_t { kDestroyXdgOutput = 0 };
enum ScreencopyManagerRequest : uint32_t { kCaptureOutput = 0, kDestroyScreencopyManager = 2 };
enum ScreencopyFrameRequest : uint32_t { kCopy = 0, kDestroyScreencopyFrame = 1, kCopyWithDamage = 2 };

constexpr uint32_t kPaintCursors = 1;  // option of a copy session
enum FailureReason : uint32_t { kFailedUnknown = 0, kFailedConstraints = 1, kFailedStopped = 2 };
constexpr uint32_t kYInvert = 1;  // flag of a screencopy frame

// Owns a protocol object, whose destructor has the given position among its requests.
struct DestroyProxy {
  uint32_t request = 0;
  void operator()(wl_proxy* proxy) const {
    wl_proxy_marshal_flags(proxy, request, nullptr, wl_proxy_get_version(proxy), WL_MARSHAL_FLAG_DESTROY);
  }
};
using Proxy = std::unique_ptr<wl_proxy, DestroyProxy>;

// Sends a request that makes an object, which inherits the version. The arguments stand as in the
// protocol, with null for the new object.
template <typename... Args>
Proxy Create(wl_proxy* from, uint32_t request, const wl_interface& interface, uint32_t destroy, Args... args) {
  return Proxy(wl_proxy_marshal_flags(from, request, &interface, wl_proxy_get_version(from), 0, args...),
               DestroyProxy{destroy});
}

template <typename... Args>
void Send(const Proxy& proxy, uint32_t request, Args... args) {
  wl_proxy_marshal_flags(proxy.get(), request, nullptr, wl_proxy_get_version(proxy.get()), 0, args...);
}

// `listener` is a struct of functions, one for each event, none of them null: libwayland aborts at a null one.
template <typename Listener>
void Listen(const Proxy& proxy, const Listener& listener, void* data) {
  auto* functions = reinterpret_cast<void (**)(void)>(const_cast<Listener*>(&listener));
  wl_proxy_add_listener(proxy.get(), functions, data);
}

}  // namespace cap
