// The addon's entry: initialises GStreamer once and registers the classes.
#include <gst/gst.h>
#include <napi.h>

#include <algorithm>
#include <iterator>

#include "access_unit_hub.h"
#include "byte_sink.h"
#include "compose_element.h"
#include "devices.h"
#include "door.h"
#include "failure.h"
#include "frame_limit_element.h"
#include "frame_sink.h"
#include "pipeline.h"
#include "pipewire_screen.h"
#include "portal_session.h"
#include "pulse_source.h"
#include "recording_door.h"
#include "redact_element.h"
#include "redactor.h"
#include "relay.h"
#include "rtp_start.h"
#include "rtsp_server.h"
#include "sei.h"
#include "sound_server.h"
#include "still_door.h"
#include "tls_trust.h"
#include "unit_receiver.h"
#include "unit_sender.h"
#include "unit_tap.h"
#include "wayland_display.h"
#include "wayland_source.h"
#include "wayland_watch.h"
#include "x11_display.h"
#include "x11_pick.h"
#include "x11_source.h"
#include "x11_watch.h"
#include "x264_element.h"

namespace cap {

namespace {

Napi::Value GStreamerVersion(const Napi::CallbackInfo& info) {
  gchar* version = gst_version_string();
  Napi::Value value = Napi::String::New(info.Env(), version);
  g_free(version);
  return value;
}

// hasElement(name): whether GStreamer can make that element.
Napi::Value HasElement(const Napi::CallbackInfo& info) {
  GstElementFactory* factory = gst_element_factory_find(info[0].As<Napi::String>().Utf8Value().c_str());
  if (factory) gst_object_unref(factory);
  return Napi::Boolean::New(info.Env(), factory != nullptr);
}

Napi::Value WriteSei(const Napi::CallbackInfo& info) {
  auto payload = info[0].As<Napi::Buffer<uint8_t>>();
  const auto nal = BuildSeiNal(payload.Data(), payload.Length());
  return Napi::Buffer<uint8_t>::Copy(info.Env(), nal.data(), nal.size());
}

Napi::Value FindSei(const Napi::CallbackInfo& info) {
  auto unit = info[0].As<Napi::Buffer<uint8_t>>();
  const auto payload = FindSeiPayload(unit.Data(), unit.Length());
  if (!payload) return info.Env().Null();
  return Napi::Buffer<uint8_t>::Copy(info.Env(), payload->data(), payload->size());
}

// dropUntilAccessUnit(pipeline, depayloader): see rtp_start.h
void DropUntilAccessUnitFromJs(const Napi::CallbackInfo& info) {
  GstElement* element = Pipeline::From(info[0])->Element(info.Env(), info[1].As<Napi::String>().Utf8Value());
  DropUntilAccessUnit(element);
  gst_object_unref(element);
}

// GStreamer's own warnings (rtpbin says "sticky event misordering" at each UDP reader) are for
// whoever debugs GStreamer; what matters to a user arrives as bus messages. Its RTSP library quotes
// whatever a client sent: nobody on the network may write to our terminal.
void QuietLog(const gchar* domain, GLogLevelFlags level, const gchar* message, gpointer) {
  if (g_getenv("GST_DEBUG") || !(level & G_LOG_LEVEL_WARNING)) g_log_default_handler(domain, level, message, nullptr);
}

// What 1.22's sinks do to a connection that broke: rtspclientsink says TEARDOWN to one that it has closed, rtmp2sink
// looks into an answer that has not come. Whoever publishes is told of the break itself.
void QuietBrokenConnection(const gchar* domain, GLogLevelFlags level, const gchar* message, gpointer) {
  static const char* const kExpected[] = {
      "g_socket_get_timeout: ", "g_socket_set_timeout: ", "g_output_stream_writev: ", "gst_amf_node_get_type: "};
  const bool expected = std::any_of(std::begin(kExpected), std::end(kExpected),
                                    [&](const char* start) { return g_str_has_prefix(message, start); });
  if (!expected || g_getenv("GST_DEBUG")) g_log_default_handler(domain, level, message, nullptr);
}

// The process-wide part; another environment (a worker thread) may load the addon again.
void InitializeOnce(Napi::Env env) {
  static GError* error = nullptr;
  static const bool ready = [] {
    SurviveX11Errors();
    // GnuTLS would also speak TLS 1.0 and 1.1; GIO has no other way to say so.
    g_setenv("G_TLS_GNUTLS_PRIORITY", "NORMAL:-VERS-TLS1.1:-VERS-TLS1.0", FALSE);
    if (!gst_init_check(nullptr, nullptr, &error)) return false;
    g_log_set_handler("GStreamer", G_LOG_LEVEL_WARNING, QuietLog, nullptr);
    g_log_set_handler("GStreamer-RTSP", G_LOG_LEVEL_WARNING, QuietLog, nullptr);
    g_log_set_handler("GLib-GIO", G_LOG_LEVEL_CRITICAL, QuietBrokenConnection, nullptr);
    g_log_set_handler(nullptr, G_LOG_LEVEL_CRITICAL, QuietBrokenConnection, nullptr);
    RegisterComposeElement();
    RegisterFrameLimitElement();
    RegisterPipewireSource();
    RegisterPulseSource();
    RegisterRedactElement();
    RegisterWaylandSource();
    RegisterX11Source();
    RegisterX264Element();
    return true;
  }();
  if (!ready) Throw(env, "gstreamer", error ? error->message : "GStreamer does not start");
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  InitializeOnce(env);
  exports.Set("Pipeline", Pipeline::Define(env));
  exports.Set("FrameSink", FrameSink::Define(env));
  exports.Set("AccessUnitHub", AccessUnitHub::Define(env));
  exports.Set("ByteSink", ByteSink::Define(env));
  exports.Set("Door", Door::Define(env));
  exports.Set("RecordingDoor", RecordingDoor::Define(env));
  exports.Set("Redactor", Redactor::Define(env));
  exports.Set("Relay", Relay::Define(env));
  exports.Set("PipewireScreen", PipewireScreen::Define(env));
  exports.Set("PortalSession", PortalSession::Define(env));
  exports.Set("RtspServer", RtspServer::Define(env));
  exports.Set("StillDoor", StillDoor::Define(env));
  exports.Set("UnitReceiver", UnitReceiver::Define(env));
  exports.Set("UnitSender", UnitSender::Define(env));
  exports.Set("X11Pick", X11Pick::Define(env));
  exports.Set("UnitTap", UnitTap::Define(env));
  exports.Set("X11Watch", X11Watch::Define(env));
  exports.Set("WaylandWatch", WaylandWatch::Define(env));
  exports.Set("setComposePlan", Napi::Function::New(env, SetComposePlanFromJs));
  exports.Set("dropUntilAccessUnit", Napi::Function::New(env, DropUntilAccessUnitFromJs));
  exports.Set("describeDisplay", Napi::Function::New(env, DescribeDisplay));
  exports.Set("describeWindow", Napi::Function::New(env, DescribeWindow));
  exports.Set("describeWayland", Napi::Function::New(env, DescribeWayland));
  exports.Set("sizeOfWayland", Napi::Function::New(env, SizeOfWayland));
  exports.Set("describeCapture", Napi::Function::New(env, DescribeCapture));
  exports.Set("gstreamerVersion", Napi::Function::New(env, GStreamerVersion));
  exports.Set("trustTls", Napi::Function::New(env, TrustTls));
  exports.Set("pipewireVersion", Napi::Function::New(env, PipewireVersion));
  exports.Set("listDevices", Napi::Function::New(env, ListDevices));
  exports.Set("describeSoundServer", Napi::Function::New(env, DescribeSoundServer));
  exports.Set("loadSoundModule", Napi::Function::New(env, LoadSoundModule));
  exports.Set("unloadSoundModule", Napi::Function::New(env, UnloadSoundModule));
  exports.Set("moveSoundStream", Napi::Function::New(env, MoveSoundStream));
  exports.Set("hasElement", Napi::Function::New(env, HasElement));
  exports.Set("writeSei", Napi::Function::New(env, WriteSei));
  exports.Set("findSei", Napi::Function::New(env, FindSei));
  return exports;
}

}  // namespace

}  // namespace cap

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) { return cap::Init(env, exports); }

NODE_API_MODULE(cap_native, InitModule)
