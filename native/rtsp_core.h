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
#include "rtsp_mount.h"
#include "rtsp_reader.h"

namespace cap {

struct RtspOptions {
  std::string host;
  int port = 0;  // 0: a free one
  unsigned max_stall_ms = 10000;
  unsigned session_timeout_s = 60;
};

// What threads of gst-rtsp-server use; the JavaScript wrapper shares it with work under way.
class RtspCore : public std::enable_shared_from_this<RtspCore> {
 public:
  RtspCore(RtspOptions options, Napi::Env env, Napi::Function listener);
  ~RtspCore();

  std::optional<Failure> Listen();
  std::optional<Failure> Mount(const std::string& path, std::shared_ptr<HubCore> hub, unsigned max_waiting_units);
  void Unmount(const std::string& path);
  void Close();

  int port() const { return port_; }
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
  void Connect(gpointer instance, const char* signal, GCallback handler);
  void EndClients();
  void BeginFor(GstRTSPMedia* media, HubCore& hub);
  void AddReader(GstRTSPClient* client, GstRTSPContext* context);
  void RemoveReaders(const char* reason, const std::function<bool(const RtspReader&)>& matches);
  void CheckReaders();
  std::shared_ptr<HubCore> HubOf(GstRTSPMedia* media);

  const RtspOptions options_;
  GstRTSPServer* server_;
  GSource* source_ = nullptr;
  GSource* timer_ = nullptr;
  int port_ = 0;
  EventChannel events_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<RtspMount>> mounts_;
  std::vector<RtspMount*> opening_;  // each owned by the thread that prepares it
  struct Entry {
    std::unique_ptr<RtspReader> reader;
    std::shared_ptr<HubCore> hub;
    std::string path;
  };
  std::vector<Entry> readers_;
  uint64_t readers_total_ = 0, readers_dropped_ = 0, cut_offs_ = 0;
  bool closed_ = false;
};

}  // namespace cap
