#include "rtsp_gate.h"

#include <cstring>

#include "frame_stamper.h"

namespace cap {

namespace {

constexpr char kLoginKey[] = "cap-login";
constexpr char kOwnerKey[] = "cap-owner";

// What is known of a connection. Its nonce is good for this connection alone, and no longer.
struct Login {
  std::string nonce;
  std::string last_wrong;
  const RtspUser* user = nullptr;  // of the gate, which the client's auth keeps alive
};

Login& LoginOf(GstRTSPClient* client) {
  auto* login = static_cast<Login*>(g_object_get_data(G_OBJECT(client), kLoginKey));
  if (!login) {
    login = new Login;
    g_object_set_data_full(G_OBJECT(client), kLoginKey, login, [](gpointer data) { delete static_cast<Login*>(data); });
  }
  return *login;
}

std::string PeerOf(const GstRTSPContext& context) {
  const gchar* ip = context.conn ? gst_rtsp_connection_get_ip(context.conn) : nullptr;
  return ip ? ip : "";
}

std::string PathOf(const GstRTSPContext& context) {
  return context.uri && context.uri->abspath ? context.uri->abspath : "";
}

// Those alternatives for the transport that stay inside the connection. They come as a header each.
std::string InterleavedOf(GstRTSPMessage* request) {
  std::string kept;
  gchar* transport = nullptr;
  for (int i = 0; gst_rtsp_message_get_header(request, GST_RTSP_HDR_TRANSPORT, &transport, i) == GST_RTSP_OK; ++i) {
    if (std::strstr(transport, "/TCP")) kept += (kept.empty() ? "" : ",") + std::string(transport);
  }
  return kept;
}

struct Auth {
  GstRTSPAuth parent;
  std::shared_ptr<RtspGate>* gate;
};
struct AuthClass {
  GstRTSPAuthClass parent_class;
};

G_DEFINE_TYPE(Auth, auth, GST_TYPE_RTSP_AUTH)

// The checks that gst-rtsp-server asks for on media and transports are answered by the request's: what comes so far
// may be read, and no client chooses where packets go to.
gboolean Check(GstRTSPAuth* self, GstRTSPContext* context, const gchar* check) {
  RtspGate& gate = **reinterpret_cast<Auth*>(self)->gate;
  if (std::strcmp(check, GST_RTSP_AUTH_CHECK_CONNECT) == 0) return gate.AdmitConnection(*context);
  if (std::strcmp(check, GST_RTSP_AUTH_CHECK_URL) == 0) return gate.AdmitRequest(*context);
  return std::strcmp(check, GST_RTSP_AUTH_CHECK_TRANSPORT_CLIENT_SETTINGS) != 0;
}

void Finalize(GObject* object) {
  delete reinterpret_cast<Auth*>(object)->gate;
  G_OBJECT_CLASS(auth_parent_class)->finalize(object);
}

void auth_class_init(AuthClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = Finalize;
  GST_RTSP_AUTH_CLASS(klass)->check = Check;
}
void auth_init(Auth*) {}

}  // namespace

RtspGate::RtspGate(DigestLogin login, GTlsCertificate* certificate, Fullness fullness, Announce announce)
    : login_(std::move(login)),
      certificate_(certificate ? G_TLS_CERTIFICATE(g_object_ref(certificate)) : nullptr),
      fullness_(std::move(fullness)),
      announce_(std::move(announce)) {}

RtspGate::~RtspGate() {
  if (certificate_) g_object_unref(certificate_);
}

GstRTSPAuth* RtspGate::AsAuth(std::shared_ptr<RtspGate> gate) {
  auto* self = g_object_new(auth_get_type(), nullptr);
  reinterpret_cast<Auth*>(self)->gate = new std::shared_ptr<RtspGate>(std::move(gate));
  return GST_RTSP_AUTH(self);
}

bool RtspGate::IsSecure(GstRTSPConnection* connection) const {
  if (tls_port_ < 0) return false;
  GSocketAddress* local = g_socket_get_local_address(gst_rtsp_connection_get_read_socket(connection), nullptr);
  if (!local) return false;
  const bool secure = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(local)) == tls_port_;
  g_object_unref(local);
  return secure;
}

std::string RtspGate::UserOf(GstRTSPClient* client) {
  const Login& login = LoginOf(client);
  return login.user ? login.user->name : "";
}

void RtspGate::Claim(GstRTSPClient* client, GstRTSPSession* session) {
  g_object_set_data_full(G_OBJECT(session), kOwnerKey, g_strdup(UserOf(client).c_str()), g_free);
}

// gst-rtsp-server makes TLS a matter of the whole server; here it is one of the port.
bool RtspGate::AdmitConnection(GstRTSPContext& context) {
  if (!IsSecure(context.conn)) return true;
  GTlsConnection* tls = gst_rtsp_connection_get_tls(context.conn, nullptr);
  if (!tls) return false;
  g_tls_connection_set_certificate(tls, certificate_);
  return true;
}

bool RtspGate::AdmitRequest(GstRTSPContext& context) {
  Verdict refusal = CheckTransport(context);
  if (!refusal) refusal = CheckLogin(context);
  if (!refusal) refusal = CheckPath(context);
  if (!refusal) refusal = CheckRoom(context);
  if (!refusal) return true;
  GstRTSPMessage* response = context.response;
  gst_rtsp_message_init_response(response, refusal->status, refusal->reason.c_str(), context.request);
  if (!refusal->challenge.empty()) {
    gst_rtsp_message_add_header(response, GST_RTSP_HDR_WWW_AUTHENTICATE, refusal->challenge.c_str());
  }
  if (refusal->retry_after_s > 0) {
    gst_rtsp_message_add_header(response, GST_RTSP_HDR_RETRY_AFTER, std::to_string(refusal->retry_after_s).c_str());
  }
  gst_rtsp_client_send_message(context.client, nullptr, response);
  return false;
}

// Packets over UDP would go out in the clear beside an encrypted connection. Clients that prefer it (rtspsrc) try
// TCP next.
RtspGate::Verdict RtspGate::CheckTransport(GstRTSPContext& context) const {
  if (context.method != GST_RTSP_SETUP || !IsSecure(context.conn)) return nullptr;
  const std::string kept = InterleavedOf(context.request);
  if (kept.empty())
    return std::make_unique<Refusal>(Refusal{GST_RTSP_STS_UNSUPPORTED_TRANSPORT, "Only TCP with TLS", "", 0});
  gst_rtsp_message_remove_header(context.request, GST_RTSP_HDR_TRANSPORT, -1);
  gst_rtsp_message_add_header(context.request, GST_RTSP_HDR_TRANSPORT, kept.c_str());
  return nullptr;
}

// Once logged in, a connection stays so: many players send keep-alives and TEARDOWN without a header.
RtspGate::Verdict RtspGate::CheckLogin(GstRTSPContext& context) {
  if (!login_.required() || context.method == GST_RTSP_OPTIONS) return nullptr;
  Login& login = LoginOf(context.client);
  const uint64_t now = MonotonicNs();
  const unsigned wait_s = login.user ? 0 : limiter_.WaitSeconds(PeerOf(context), now);
  if (wait_s > 0) {
    Tell("login-blocked", context, "");
    return std::make_unique<Refusal>(Refusal{GST_RTSP_STS_SERVICE_UNAVAILABLE, "Too many failed logins", "", wait_s});
  }
  const DigestLogin::Answer answer = login_.Check(context.request, context.method, login.nonce);
  if (answer.user || (!answer.given && login.user)) {
    if (answer.user) login.user = answer.user;
    return nullptr;
  }
  // rtspsrc sends the same answer eight times before it gives up; that is one guess.
  if (answer.wrong && answer.response != login.last_wrong) {
    login.last_wrong = answer.response;
    limiter_.Failed(PeerOf(context), now);
    Tell("login-failed", context, "");
  }
  login.user = nullptr;
  if (login.nonce.empty()) login.nonce = DigestLogin::NewNonce();
  return std::make_unique<Refusal>(
      Refusal{GST_RTSP_STS_UNAUTHORIZED, "Unauthorized", login_.Challenge(login.nonce, answer.stale), 0});
}

RtspGate::Verdict RtspGate::CheckPath(const GstRTSPContext& context) const {
  const RtspUser* user = LoginOf(context.client).user;
  if (user && context.uri && context.method != GST_RTSP_OPTIONS && !user->MayRead(PathOf(context))) {
    return std::make_unique<Refusal>(Refusal{GST_RTSP_STS_FORBIDDEN, "Forbidden", "", 0});
  }
  if (!context.session) return nullptr;
  const auto* owner = static_cast<const char*>(g_object_get_data(G_OBJECT(context.session), kOwnerKey));
  if (!owner || owner == UserOf(context.client) || context.method == GST_RTSP_OPTIONS) return nullptr;
  return std::make_unique<Refusal>(Refusal{GST_RTSP_STS_SESSION_NOT_FOUND, "Session Not Found", "", 0});
}

RtspGate::Verdict RtspGate::CheckRoom(const GstRTSPContext& context) {
  if (context.method != GST_RTSP_SETUP && context.method != GST_RTSP_PLAY) return nullptr;
  const std::string reason = fullness_(context);
  if (reason.empty()) return nullptr;
  Tell("reader-refused", context, reason);
  return std::make_unique<Refusal>(Refusal{GST_RTSP_STS_NOT_ENOUGH_BANDWIDTH, reason, "", 0});
}

void RtspGate::Tell(const char* type, const GstRTSPContext& context, const std::string& reason) {
  announce_({type, {{"peer", PeerOf(context)}, {"reason", reason}}});
}

}  // namespace cap
