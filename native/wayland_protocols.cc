#include "wayland_protocols.h"

#include <iterator>

namespace cap {

namespace {

// Signatures: u uint, i int, o object, n new object, a array, s string; a leading number is the
// version that brought the message. The types stand one for each argument, null where it is no object.
using Types = const wl_interface*;

Types kNone[6] = {};

template <size_t Requests, size_t Events>
constexpr wl_interface Interface(const char* name, int version, const wl_message (&requests)[Requests],
                                 const wl_message (&events)[Events]) {
  return {name, version, Requests, requests, Events, events};
}

template <size_t Requests>
constexpr wl_interface Interface(const char* name, int version, const wl_message (&requests)[Requests]) {
  return {name, version, Requests, requests, 0, nullptr};
}

const wl_message kJustDestroy[] = {{"destroy", "", kNone}};

Types kSourceOfOutput[] = {&kCaptureSourceInterface, &wl_output_interface};
const wl_message kOutputSourceManagerRequests[] = {{"create_source", "no", kSourceOfOutput}, {"destroy", "", kNone}};

Types kSourceOfToplevel[] = {&kCaptureSourceInterface, &kToplevelHandleInterface};
const wl_message kToplevelSourceManagerRequests[] = {{"create_source", "no", kSourceOfToplevel},
                                                     {"destroy", "", kNone}};

// The cursor's own session is never asked for: cursors are painted into the picture.
const wl_message kCursorSessionEvents[] = {
    {"enter", "", kNone}, {"leave", "", kNone}, {"position", "ii", kNone}, {"hotspot", "ii", kNone}};
Types kSession[] = {&kCopySessionInterface};
const wl_message kCursorSessionRequests[] = {{"destroy", "", kNone}, {"get_capture_session", "n", kSession}};
const wl_interface kCursorSessionInterface =
    Interface("ext_image_copy_capture_cursor_session_v1", 1, kCursorSessionRequests, kCursorSessionEvents);

Types kSessionOfSource[] = {&kCopySessionInterface, &kCaptureSourceInterface, nullptr};
Types kCursorOfSource[] = {&kCursorSessionInterface, &kCaptureSourceInterface, &wl_pointer_interface};
const wl_message kCopyManagerRequests[] = {{"create_session", "nou", kSessionOfSource},
                                           {"create_pointer_cursor_session", "noo", kCursorOfSource},
                                           {"destroy", "", kNone}};

Types kFrame[] = {&kCopyFrameInterface};
const wl_message kCopySessionRequests[] = {{"create_frame", "n", kFrame}, {"destroy", "", kNone}};
const wl_message kCopySessionEvents[] = {{"buffer_size", "uu", kNone},  {"shm_format", "u", kNone},
                                         {"dmabuf_device", "a", kNone}, {"dmabuf_format", "ua", kNone},
                                         {"done", "", kNone},           {"stopped", "", kNone}};

Types kBuffer[] = {&wl_buffer_interface};
const wl_message kCopyFrameRequests[] = {
    {"destroy", "", kNone}, {"attach_buffer", "o", kBuffer}, {"damage_buffer", "iiii", kNone}, {"capture", "", kNone}};
const wl_message kCopyFrameEvents[] = {{"transform", "u", kNone},
                                       {"damage", "iiii", kNone},
                                       {"presentation_time", "uuu", kNone},
                                       {"ready", "", kNone},
                                       {"failed", "u", kNone}};

Types kHandle[] = {&kToplevelHandleInterface};
const wl_message kToplevelListRequests[] = {{"stop", "", kNone}, {"destroy", "", kNone}};
const wl_message kToplevelListEvents[] = {{"toplevel", "n", kHandle}, {"finished", "", kNone}};
const wl_message kToplevelHandleEvents[] = {{"closed", "", kNone},
                                            {"done", "", kNone},
                                            {"title", "s", kNone},
                                            {"app_id", "s", kNone},
                                            {"identifier", "s", kNone}};

Types kXdgOutputOfOutput[] = {&kXdgOutputInterface, &wl_output_interface};
const wl_message kXdgOutputManagerRequests[] = {{"destroy", "", kNone}, {"get_xdg_output", "no", kXdgOutputOfOutput}};
const wl_message kXdgOutputEvents[] = {{"logical_position", "ii", kNone},
                                       {"logical_size", "ii", kNone},
                                       {"done", "", kNone},
                                       {"name", "2s", kNone},
                                       {"description", "2s", kNone}};

Types kFrameOfOutput[] = {
    &kScreencopyFrameInterface, nullptr, &wl_output_interface, nullptr, nullptr, nullptr, nullptr};
const wl_message kScreencopyManagerRequests[] = {{"capture_output", "nio", kFrameOfOutput},
                                                 {"capture_output_region", "nioiiii", kFrameOfOutput},
                                                 {"destroy", "", kNone}};
const wl_message kScreencopyFrameRequests[] = {
    {"copy", "o", kBuffer}, {"destroy", "", kNone}, {"copy_with_damage", "2o", kBuffer}};
const wl_message kScreencopyFrameEvents[] = {
    {"buffer", "uuuu", kNone},  {"flags", "u", kNone},           {"ready", "uuu", kNone},    {"failed", "", kNone},
    {"damage", "2uuuu", kNone}, {"linux_dmabuf", "3uuu", kNone}, {"buffer_done", "3", kNone}};

}  // namespace

const wl_interface kCaptureSourceInterface = Interface("ext_image_capture_source_v1", 1, kJustDestroy);
const wl_interface kOutputSourceManagerInterface =
    Interface("ext_output_image_capture_source_manager_v1", 1, kOutputSourceManagerRequests);
const wl_interface kToplevelSourceManagerInterface =
    Interface("ext_foreign_toplevel_image_capture_source_manager_v1", 1, kToplevelSourceManagerRequests);
const wl_interface kCopyManagerInterface = Interface("ext_image_copy_capture_manager_v1", 1, kCopyManagerRequests);
const wl_interface kCopySessionInterface =
    Interface("ext_image_copy_capture_session_v1", 1, kCopySessionRequests, kCopySessionEvents);
const wl_interface kCopyFrameInterface =
    Interface("ext_image_copy_capture_frame_v1", 1, kCopyFrameRequests, kCopyFrameEvents);
const wl_interface kToplevelListInterface =
    Interface("ext_foreign_toplevel_list_v1", 1, kToplevelListRequests, kToplevelListEvents);
const wl_interface kToplevelHandleInterface =
    Interface("ext_foreign_toplevel_handle_v1", 1, kJustDestroy, kToplevelHandleEvents);
const wl_interface kXdgOutputManagerInterface = Interface("zxdg_output_manager_v1", 3, kXdgOutputManagerRequests);
const wl_interface kXdgOutputInterface = Interface("zxdg_output_v1", 3, kJustDestroy, kXdgOutputEvents);
const wl_interface kScreencopyManagerInterface = Interface("zwlr_screencopy_manager_v1", 3, kScreencopyManagerRequests);
const wl_interface kScreencopyFrameInterface =
    Interface("zwlr_screencopy_frame_v1", 3, kScreencopyFrameRequests, kScreencopyFrameEvents);

}  // namespace cap
