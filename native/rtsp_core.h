// The RTSP server proper: listens, mounts hubs at paths, and knows its readers.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>
#include <napi.h>

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "event_channel.h"
#include "main_loop.h"
#include "rtsp_gate.h"
#include "rtsp_mount.h"
#include "rtsp_readers.h"

namespace cap {

struct RtspOptions {
  std::string host;
  int port = 0;         // 0: a free one, -1: none
  int tls_port = -1;    // likewise
  std::string tls_pem;  // certificate chain and key, for the TLS port
  std::string realm;
  std::vector<RtspUser> users;  // none: everybody may read
  unsigned max_readers = 0;     // 0: as many as come
  unsigned max_stall_ms = 10000;
  unsigned session_timeout_s = 60;
};

// What threads of gst-rtsp-server use; the JavaScript wrapper shares it with work under way.
class RtspCore : public std::enable_shared_from_this<RtspCore> {
 public:
  RtspCore(RtspOptions options, Napi::Env env, Napi::Function listener);
  ~RtspCore();

  std::optional<Failure> Listen();
  std::optional<Failure> Mount(const std::string& path, std::shared_ptr<HubCore> hub, std::vector<RtspAudio> audio,
                               RtspMount::Limits limits);
  void Unmount(const std::string& path);
  // Ends the reader of that id; false when there is none.
  bool Kick(uint64_t id);
  void Close();

  int port() const { return port_; }  // -1: none
  int tls_port() const { return tls_port_; }
  EventChannel& events() { return events_; }
  Napi::Object Stats(Napi::Env env);

 private:
  // Signal handlers; all run on the main loop's thread, as does everything that touches clients.
  static void OnClient(GstRTSPServer*, GstRTSPClient* client, gpointer data);
  static void OnSession(GstRTSPClient*, GstRTSPSession* session, gpointer data);
  static void OnPlay(GstRTSPClient* client, GstRTSPContext* context, gpointer data);
  static void OnTeardown(GstRTSPClient* client, GstRTSPContext* context, gpointer data);
  static void OnClosed(GstRTSPClient* client, gpointer data);
  static void OnSessionRemoved(GstRTSPSessionPool*, GstRTSPSession* session, gpointer data);
  std::optional<Failure> OpenGate();
  void Connect(gpointer instance, const char* signal, GCallback handler);
  void EndClients();
  void CloseReaders(const char* reason, const RtspReaders::Match& matches);
  void BeginFor(GstRTSPMedia* media, HubCore& hub);
  void AddReader(GstRTSPClient* client, GstRTSPContext* context);
  void Announce(Event event);
  std::string WhyFull(const GstRTSPContext& context);
  // The mount that a request's path belongs to, or null. Under the lock.
  RtspMount* MountAt(const std::string& path);
  RtspMount* MountOf(GstRTSPMedia* media);

  const RtspOptions options_;
  GstRTSPServer* server_;
  std::vector<GSource*> sources_;  // listening sockets and the timer
  int port_, tls_port_;
  EventChannel events_;
  RtspReaders readers_;
  std::shared_ptr<RtspGate> gate_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<RtspMount>> mounts_;
  std::vector<RtspMount*> opening_;  // each owned by the thread that prepares it
  uint64_t refused_ = 0, failed_logins_ = 0;
  bool closed_ = false;
};

}  // namespace cap
