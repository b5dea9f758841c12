// What every connection and request passes before gst-rtsp-server acts on it: TLS, login, the paths a user may read,
// and room for another reader.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "digest_login.h"
#include "event_channel.h"
#include "login_limiter.h"

namespace cap {

// Everything but Announce and Fullness runs on the main loop's thread.
class RtspGate {
 public:
  // Why there is no room for what the request would begin; empty when there is.
  using Fullness = std::function<std::string(const GstRTSPContext&)>;
  using Announce = std::function<void(Event)>;

  // `certificate` may be null: then no port speaks TLS. Takes a reference.
  RtspGate(DigestLogin login, GTlsCertificate* certificate, Fullness fullness, Announce announce);
  ~RtspGate();
  RtspGate(const RtspGate&) = delete;
  RtspGate& operator=(const RtspGate&) = delete;

  // Connections to this port speak TLS from their first byte on. To be called before the port is listened to.
  void set_tls_port(int port) { tls_port_ = port; }

  // For gst_rtsp_server_set_auth; keeps the gate alive for as long as any client does.
  static GstRTSPAuth* AsAuth(std::shared_ptr<RtspGate> gate);

  bool IsSecure(GstRTSPConnection* connection) const;
  // Who has logged in on the client's connection, or empty.
  static std::string UserOf(GstRTSPClient* client);
  // A session belongs to the user who made it.
  static void Claim(GstRTSPClient* client, GstRTSPSession* session);

  bool AdmitConnection(GstRTSPContext& context);
  bool AdmitRequest(GstRTSPContext& context);

 private:
  struct Refusal {
    GstRTSPStatusCode status;
    std::string reason;
    std::string challenge;   // with 401
    unsigned retry_after_s;  // 0: does not help
  };
  using Verdict = std::unique_ptr<Refusal>;  // null: go on

  Verdict CheckTransport(GstRTSPContext& context) const;
  Verdict CheckLogin(GstRTSPContext& context);
  Verdict CheckPath(const GstRTSPContext& context) const;
  Verdict CheckRoom(const GstRTSPContext& context);
  void Tell(const char* type, const GstRTSPContext& context, const std::string& reason);

  const DigestLogin login_;
  GTlsCertificate* const certificate_;
  const Fullness fullness_;
  const Announce announce_;
  LoginLimiter limiter_;
  int tls_port_ = -1;
};

}  // namespace cap
