#include "rtsp_core.h"

#include <algorithm>

#include "rtsp_listener.h"

namespace cap {

namespace {

constexpr unsigned kCheckIntervalMs = 250, kReportIntervalMs = 500, kAfterCloseMs = 2000;
// On a session: the connection that it goes over.
constexpr char kConnectionKey[] = "cap-connection";

// The transports of a playing session, of each stream that it has set up.
std::vector<GstRTSPStreamTransport*> Transports(GstRTSPContext* context) {
  std::vector<GstRTSPStreamTransport*> transports;
  for (guint i = 0; context->sessmedia && i < gst_rtsp_media_n_streams(context->media); ++i) {
    auto* transport = gst_rtsp_session_media_get_transport(context->sessmedia, i);
    if (transport) transports.push_back(transport);
  }
  return transports;
}

// When packets cannot be sent, gst-rtsp-server has the client closed a moment later without holding it (`do_close`,
// in 1.22 and in its newest source): freed in between, or by that very call under its own lock, it takes the process
// down.
void KeepForAWhile(GstRTSPClient* client) {
  g_object_ref(client);
  // What the client itself would do at its end.
  gst_rtsp_connection_close(gst_rtsp_client_get_connection(client));
  MainLoop::Get().After(kAfterCloseMs, [client] { g_object_unref(client); });
}

std::shared_ptr<RtspCore> Lock(gpointer data) { return static_cast<std::weak_ptr<RtspCore>*>(data)->lock(); }

}  // namespace

RtspCore::RtspCore(RtspOptions options, Napi::Env env, Napi::Function listener)
    : options_(std::move(options)),
      server_(NewRtspServer(options_.host)),
      port_(options_.port),
      tls_port_(options_.tls_port),
      events_(env, listener, "cap rtsp events", 256),
      readers_(events_) {}

RtspCore::~RtspCore() {
  Close();
  g_object_unref(server_);
}

// Clients may outlive the server by a moment, so handlers hold it weakly.
void RtspCore::Connect(gpointer instance, const char* signal, GCallback handler) {
  g_signal_connect_data(
      instance, signal, handler, new std::weak_ptr<RtspCore>(weak_from_this()),
      [](gpointer data, GClosure*) { delete static_cast<std::weak_ptr<RtspCore>*>(data); },
      static_cast<GConnectFlags>(0));
}

std::optional<Failure> RtspCore::OpenGate() {
  GTlsCertificate* certificate = nullptr;
  if (tls_port_ >= 0) {
    GError* error = nullptr;
    certificate =
        g_tls_certificate_new_from_pem(options_.tls_pem.data(), static_cast<gssize>(options_.tls_pem.size()), &error);
    if (!certificate) return FailureFromGError("tls", error);
  }
  std::weak_ptr<RtspCore> core = weak_from_this();
  gate_ = std::make_shared<RtspGate>(
      DigestLogin(options_.realm, options_.users), certificate,
      [core](const GstRTSPContext& context) {
        auto self = core.lock();
        return self ? self->WhyFull(context) : "the server is closed";
      },
      [core](Event event) {
        if (auto self = core.lock()) self->Announce(std::move(event));
      });
  if (certificate) g_object_unref(certificate);
  GstRTSPAuth* auth = RtspGate::AsAuth(gate_);
  gst_rtsp_server_set_auth(server_, auth);
  g_object_unref(auth);
  return std::nullopt;
}

std::optional<Failure> RtspCore::Listen() {
  if (auto failure = OpenGate()) return failure;
  for (int* port : {&port_, &tls_port_}) {
    if (*port < 0) continue;
    GSource* source = nullptr;
    if (auto failure = ListenRtsp(server_, *port, source)) return failure;
    sources_.push_back(source);
  }
  gate_->set_tls_port(tls_port_);
  GstRTSPSessionPool* sessions = gst_rtsp_server_get_session_pool(server_);
  Connect(sessions, "session-removed", G_CALLBACK(OnSessionRemoved));
  g_object_unref(sessions);
  Connect(server_, "client-connected", G_CALLBACK(OnClient));
  for (GSource* source : sources_) g_source_attach(source, MainLoop::Get().context());
  // Expired sessions, which gst-rtsp-server keeps until asked, and slow readers.
  sources_.push_back(MainLoop::Get().Every(kCheckIntervalMs, [this] {
    GstRTSPSessionPool* pool = gst_rtsp_server_get_session_pool(server_);
    gst_rtsp_session_pool_cleanup(pool);
    g_object_unref(pool);
    readers_.Check(uint64_t{options_.max_stall_ms} * 1000000);
  }));
  sources_.push_back(MainLoop::Get().Every(kReportIntervalMs, [this] { readers_.ReadReports(); }));
  return std::nullopt;
}

std::optional<Failure> RtspCore::Mount(const std::string& path, std::shared_ptr<HubCore> hub,
                                       std::vector<RtspAudio> audio, RtspMount::Limits limits) {
  auto mount = std::make_unique<RtspMount>(server_, path, std::move(hub), std::move(audio), limits);
  const Failure closed{"closed", "", "the RTSP server is closed", ""};
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return closed;
    opening_.push_back(mount.get());
  }
  auto failure = mount->Prepare();
  std::lock_guard<std::mutex> lock(mutex_);
  opening_.erase(std::find(opening_.begin(), opening_.end(), mount.get()));
  if (closed_) return closed;
  if (failure) return failure;
  mounts_.push_back(std::move(mount));
  return std::nullopt;
}

void RtspCore::Unmount(const std::string& path) {
  std::unique_ptr<RtspMount> mount;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto found = std::find_if(mounts_.begin(), mounts_.end(), [&](const auto& m) { return m->path() == path; });
    if (found == mounts_.end()) return;
    mount = std::move(*found);
    mounts_.erase(found);
  }
  // Its readers are told by the end of their connection.
  CloseReaders("unmounted", [&](const RtspReader& reader) { return reader.identity().path == path; });
}

bool RtspCore::Kick(uint64_t id) {
  const auto is_meant = [id](const RtspReader& reader) { return reader.identity().id == id; };
  if (readers_.Count(is_meant) == 0) return false;
  CloseReaders("kicked", is_meant);
  return true;
}

void RtspCore::CloseReaders(const char* reason, const RtspReaders::Match& matches) {
  MainLoop::Get().Run([&] {
    GstRTSPSessionPool* sessions = gst_rtsp_server_get_session_pool(server_);
    readers_.Close(sessions, reason, matches);
    g_object_unref(sessions);
  });
}

// On the main loop: no new clients, and an end to those there are.
void RtspCore::EndClients() {
  for (GSource* source : sources_) {
    g_source_destroy(source);
    g_source_unref(source);
  }
  sources_.clear();
  gst_rtsp_server_client_filter(
      server_, [](GstRTSPServer*, GstRTSPClient*, gpointer) { return GST_RTSP_FILTER_REMOVE; }, nullptr);
  GstRTSPSessionPool* sessions = gst_rtsp_server_get_session_pool(server_);
  gst_rtsp_session_pool_filter(
      sessions, [](GstRTSPSessionPool*, GstRTSPSession*, gpointer) { return GST_RTSP_FILTER_REMOVE; }, nullptr);
  g_object_unref(sessions);
}

void RtspCore::Close() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    closed_ = true;
    for (RtspMount* mount : opening_) mount->Cancel();
  }
  MainLoop::Get().Run([this] { EndClients(); });
  std::vector<std::unique_ptr<RtspMount>> mounts;
  readers_.Clear();
  std::lock_guard<std::mutex> lock(mutex_);
  mounts.swap(mounts_);
}

void RtspCore::OnClient(GstRTSPServer*, GstRTSPClient* client, gpointer data) {
  TuneClientSocket(client);
  auto self = Lock(data);
  if (!self) return;
  self->Connect(client, "new-session", G_CALLBACK(OnSession));
  self->Connect(client, "play-request", G_CALLBACK(OnPlay));
  self->Connect(client, "pause-request", G_CALLBACK(OnTeardown));
  self->Connect(client, "teardown-request", G_CALLBACK(OnTeardown));
  self->Connect(client, "closed", G_CALLBACK(OnClosed));
}

// Also for a session that goes on over another connection.
void RtspCore::OnSession(GstRTSPClient* client, GstRTSPSession* session, gpointer data) {
  RtspGate::Claim(client, session);
  g_object_set_data(G_OBJECT(session), kConnectionKey, client);
  if (auto self = Lock(data)) gst_rtsp_session_set_timeout(session, self->options_.session_timeout_s);
}

void RtspCore::OnPlay(GstRTSPClient* client, GstRTSPContext* context, gpointer data) {
  if (auto self = Lock(data)) self->AddReader(client, context);
}

RtspMount* RtspCore::MountOf(GstRTSPMedia* media) {
  for (auto& mount : mounts_) {
    if (mount->media() == media) return mount.get();
  }
  return nullptr;
}

// As gst-rtsp-server finds it: the longest path wins.
RtspMount* RtspCore::MountAt(const std::string& path) {
  RtspMount* found = nullptr;
  for (auto& mount : mounts_) {
    const std::string& own = mount->path();
    const bool below = path == own || path.compare(0, own.size() + 1, own + "/") == 0;
    if (below && (!found || own.size() > found->path().size())) found = mount.get();
  }
  return found;
}

// Counted at SETUP, so that whoever comes too late hears of it at once, and again at PLAY, which decides.
std::string RtspCore::WhyFull(const GstRTSPContext& context) {
  const std::string session = context.session ? gst_rtsp_session_get_sessionid(context.session) : "";
  if (readers_.Count([&](const RtspReader& reader) { return reader.identity().session_id == session; }) > 0) return "";
  if (options_.max_readers > 0 && readers_.Count([](const RtspReader&) { return true; }) >= options_.max_readers) {
    return "Too many readers";
  }
  std::lock_guard<std::mutex> lock(mutex_);
  const RtspMount* mount = MountAt(context.uri ? context.uri->abspath : "");
  if (!mount || mount->limits().max_readers == 0) return "";
  const size_t there =
      readers_.Count([&](const RtspReader& reader) { return reader.identity().path == mount->path(); });
  return there >= mount->limits().max_readers ? "Too many readers of " + mount->path() : "";
}

void RtspCore::Announce(Event event) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ++(event.type == "reader-refused" ? refused_ : failed_logins_);
  }
  events_.Post(std::move(event));
}

// Gives who joins a picture to begin with: a new key frame or, where that cannot be had and nobody
// else would see it a second time, what came since the last one.
void RtspCore::BeginFor(GstRTSPMedia* media, HubCore& hub) {
  if (!hub.keeps_gop()) return hub.RequestKeyFrame();
  if (readers_.Any(&hub)) return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (RtspMount* mount = MountOf(media)) mount->door().Restart();
}

void RtspCore::AddReader(GstRTSPClient* client, GstRTSPContext* context) {
  const std::vector<GstRTSPStreamTransport*> transports = Transports(context);
  if (transports.empty() || !context->session) return;
  std::shared_ptr<HubCore> hub;
  RtspReader::Identity identity{readers_.NextId(), gst_rtsp_session_get_sessionid(context->session),
                                RtspGate::UserOf(client), "", gate_->IsSecure(gst_rtsp_client_get_connection(client))};
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const RtspMount* mount = MountOf(context->media);
    if (!mount || closed_) return;
    hub = mount->hub();
    identity.path = mount->path();
  }
  // The sender thread sleeps until something new comes; a joiner should not wait for that.
  for (GstRTSPStreamTransport* transport : transports) gst_rtsp_stream_transport_message_sent(transport);
  BeginFor(context->media, *hub);
  readers_.Add(std::make_unique<RtspReader>(client, context->media, transports, std::move(identity)), std::move(hub));
}

void RtspCore::OnTeardown(GstRTSPClient*, GstRTSPContext* context, gpointer data) {
  if (!context->session) return;
  const std::string id = gst_rtsp_session_get_sessionid(context->session);
  if (auto self = Lock(data))
    self->readers_.Remove("teardown", [&](const RtspReader& r) { return r.identity().session_id == id; });
}

// gst-rtsp-server would keep the sessions until they time out, send packets to those over UDP, and refuse newcomers
// once there are a thousand.
void RtspCore::OnClosed(GstRTSPClient* client, gpointer data) {
  KeepForAWhile(client);
  auto self = Lock(data);
  if (!self) return;
  self->readers_.Remove("disconnected", [&](const RtspReader& r) { return r.client() == client; });
  GstRTSPSessionPool* sessions = gst_rtsp_server_get_session_pool(self->server_);
  gst_rtsp_session_pool_filter(
      sessions,
      [](GstRTSPSessionPool*, GstRTSPSession* session, gpointer closed) {
        return g_object_get_data(G_OBJECT(session), kConnectionKey) == closed ? GST_RTSP_FILTER_REMOVE
                                                                              : GST_RTSP_FILTER_KEEP;
      },
      client);
  g_object_unref(sessions);
}

void RtspCore::OnSessionRemoved(GstRTSPSessionPool*, GstRTSPSession* session, gpointer data) {
  const std::string id = gst_rtsp_session_get_sessionid(session);
  if (auto self = Lock(data))
    self->readers_.Remove("timeout", [&](const RtspReader& r) { return r.identity().session_id == id; });
}

Napi::Object RtspCore::Stats(Napi::Env env) {
  Napi::Object stats = Napi::Object::New(env);
  readers_.Report(stats);
  std::lock_guard<std::mutex> lock(mutex_);
  stats.Set("readersRefused", static_cast<double>(refused_));
  stats.Set("failedLogins", static_cast<double>(failed_logins_));
  uint64_t delivered = 0, dropped = 0;
  for (auto& mount : mounts_) {
    delivered += mount->door().delivered();
    dropped += mount->door().dropped();
  }
  stats.Set("accessUnitsDelivered", static_cast<double>(delivered));
  stats.Set("accessUnitsDropped", static_cast<double>(dropped));
  return stats;
}

}  // namespace cap
