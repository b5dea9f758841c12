#include "rtsp_core.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>

#include "frame_stamper.h"

namespace cap {

namespace {

constexpr unsigned kCheckIntervalMs = 250;
constexpr guint kMaxRequestBytes = 64 * 1024;
constexpr guint kMaxSessions = 1000;
// The default of 5 loses connections when many readers come at once: each tries again after a second.
constexpr int kBacklog = 128;
// Bounds how much video waits in the kernel for a slow reader; a large key frame still fits.
constexpr int kClientSendBuffer = 512 * 1024;

Event ReaderEvent(const char* type, const RtspReader& reader, const std::string& path) {
  return {type, {{"peer", reader.peer()}, {"protocol", std::string(reader.protocol())}, {"path", path}}};
}

// The first stream's transport in a playing session.
GstRTSPStreamTransport* VideoTransport(GstRTSPContext* context) {
  return context->sessmedia ? gst_rtsp_session_media_get_transport(context->sessmedia, 0) : nullptr;
}

std::shared_ptr<RtspCore> Lock(gpointer data) { return static_cast<std::weak_ptr<RtspCore>*>(data)->lock(); }

}  // namespace

RtspCore::RtspCore(RtspOptions options, Napi::Env env, Napi::Function listener)
    : options_(std::move(options)), server_(gst_rtsp_server_new()), events_(env, listener, "cap rtsp events", 256) {
  gst_rtsp_server_set_address(server_, options_.host.c_str());
  gst_rtsp_server_set_service(server_, std::to_string(options_.port).c_str());
  gst_rtsp_server_set_backlog(server_, kBacklog);
  g_object_set(server_, "content-length-limit", kMaxRequestBytes, nullptr);
  GstRTSPThreadPool* threads = gst_rtsp_server_get_thread_pool(server_);
  // No client threads: clients are served by the main loop that accepted them, so that one thread
  // joins, checks and closes them. Media are prepared before they are mounted: nothing here blocks.
  gst_rtsp_thread_pool_set_max_threads(threads, 0);
  g_object_unref(threads);
  GstRTSPSessionPool* sessions = gst_rtsp_server_get_session_pool(server_);
  gst_rtsp_session_pool_set_max_sessions(sessions, kMaxSessions);
  g_object_unref(sessions);
}

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

std::optional<Failure> RtspCore::Listen() {
  GError* error = nullptr;
  source_ = gst_rtsp_server_create_source(server_, nullptr, &error);
  if (!source_) {
    const bool in_use = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    return FailureFromGError(in_use ? "port-in-use" : "port", error);
  }
  GstRTSPSessionPool* sessions = gst_rtsp_server_get_session_pool(server_);
  Connect(sessions, "session-removed", G_CALLBACK(OnSessionRemoved));
  g_object_unref(sessions);
  Connect(server_, "client-connected", G_CALLBACK(OnClient));
  g_source_attach(source_, MainLoop::Get().context());
  port_ = gst_rtsp_server_get_bound_port(server_);
  timer_ = MainLoop::Get().Every(kCheckIntervalMs, [this] { CheckReaders(); });
  return std::nullopt;
}

std::optional<Failure> RtspCore::Mount(const std::string& path, std::shared_ptr<HubCore> hub, unsigned max_waiting) {
  auto mount = std::make_unique<RtspMount>(server_, path, std::move(hub));
  const Failure closed{"closed", "", "the RTSP server is closed", ""};
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return closed;
    opening_.push_back(mount.get());
  }
  auto failure = mount->Prepare(max_waiting);
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
  MainLoop::Get().Run([&] {
    std::vector<GstRTSPClient*> clients;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      for (auto& entry : readers_) {
        if (entry.path == path) clients.push_back(GST_RTSP_CLIENT(g_object_ref(entry.reader->client())));
      }
    }
    for (GstRTSPClient* client : clients) {
      gst_rtsp_client_close(client);
      g_object_unref(client);
    }
  });
}

// On the main loop: no new clients, and an end to those there are.
void RtspCore::EndClients() {
  for (GSource* source : {timer_, source_}) {
    if (!source) continue;
    g_source_destroy(source);
    g_source_unref(source);
  }
  timer_ = source_ = nullptr;
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
  std::vector<Entry> readers;
  std::lock_guard<std::mutex> lock(mutex_);
  mounts.swap(mounts_);
  readers.swap(readers_);
}

void RtspCore::OnClient(GstRTSPServer*, GstRTSPClient* client, gpointer data) {
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  if (connection) {
    GSocket* socket = gst_rtsp_connection_get_write_socket(connection);
    if (socket) {
      g_socket_set_option(socket, SOL_SOCKET, SO_SNDBUF, kClientSendBuffer, nullptr);
      // A frame ends in a short segment: Nagle's algorithm would hold it for an acknowledgement.
      g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
    }
  }
  auto self = Lock(data);
  if (!self) return;
  self->Connect(client, "new-session", G_CALLBACK(OnSession));
  self->Connect(client, "play-request", G_CALLBACK(OnPlay));
  self->Connect(client, "pause-request", G_CALLBACK(OnTeardown));
  self->Connect(client, "teardown-request", G_CALLBACK(OnTeardown));
  self->Connect(client, "closed", G_CALLBACK(OnClosed));
}

void RtspCore::OnSession(GstRTSPClient*, GstRTSPSession* session, gpointer data) {
  if (auto self = Lock(data)) gst_rtsp_session_set_timeout(session, self->options_.session_timeout_s);
}

std::shared_ptr<HubCore> RtspCore::HubOf(GstRTSPMedia* media) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto& mount : mounts_) {
    if (mount->media() == media) return mount->hub();
  }
  return nullptr;
}

void RtspCore::OnPlay(GstRTSPClient* client, GstRTSPContext* context, gpointer data) {
  if (auto self = Lock(data)) self->AddReader(client, context);
}

// Gives who joins a picture to begin with: a new key frame or, where that cannot be had and nobody
// else would see it a second time, what came since the last one.
void RtspCore::BeginFor(GstRTSPMedia* media, HubCore& hub) {
  if (!hub.keeps_gop()) return hub.RequestKeyFrame();
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& entry : readers_) {
    if (entry.hub.get() == &hub) return;
  }
  for (auto& mount : mounts_) {
    if (mount->media() == media) mount->door().Restart();
  }
}

void RtspCore::AddReader(GstRTSPClient* client, GstRTSPContext* context) {
  GstRTSPStreamTransport* transport = VideoTransport(context);
  if (!transport || !context->session) return;
  auto hub = HubOf(context->media);
  if (!hub) return;
  // The sender thread sleeps until something new comes; a joiner should not wait for that.
  gst_rtsp_stream_transport_message_sent(transport);
  BeginFor(context->media, *hub);
  const std::string session_id = gst_rtsp_session_get_sessionid(context->session);
  const std::string path = context->uri ? context->uri->abspath : "";
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  for (auto& entry : readers_) {
    if (entry.reader->session_id() == session_id) return;  // PLAY again
  }
  auto reader = std::make_unique<RtspReader>(client, transport, session_id);
  events_.Post(ReaderEvent("reader-joined", *reader, path));
  ++readers_total_;
  readers_.push_back({std::move(reader), std::move(hub), path});
}

void RtspCore::RemoveReaders(const char* reason, const std::function<bool(const RtspReader&)>& matches) {
  std::vector<Entry> gone;  // destroyed outside the lock: letting a client go may call back
  std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = 0; i < readers_.size();) {
    if (!matches(*readers_[i].reader)) {
      ++i;
      continue;
    }
    Event event = ReaderEvent("reader-left", *readers_[i].reader, readers_[i].path);
    event.fields.emplace_back("reason", std::string(reason));
    events_.Post(std::move(event));
    gone.push_back(std::move(readers_[i]));
    readers_.erase(readers_.begin() + static_cast<ptrdiff_t>(i));
  }
}

void RtspCore::OnTeardown(GstRTSPClient*, GstRTSPContext* context, gpointer data) {
  if (!context->session) return;
  const std::string id = gst_rtsp_session_get_sessionid(context->session);
  if (auto self = Lock(data))
    self->RemoveReaders("teardown", [&](const RtspReader& r) { return r.session_id() == id; });
}

void RtspCore::OnClosed(GstRTSPClient* client, gpointer data) {
  if (auto self = Lock(data))
    self->RemoveReaders("disconnected", [&](const RtspReader& r) { return r.client() == client; });
}

void RtspCore::OnSessionRemoved(GstRTSPSessionPool*, GstRTSPSession* session, gpointer data) {
  const std::string id = gst_rtsp_session_get_sessionid(session);
  if (auto self = Lock(data)) self->RemoveReaders("timeout", [&](const RtspReader& r) { return r.session_id() == id; });
}

// Every 250 ms on the main loop: expired sessions, which gst-rtsp-server keeps until asked, and slow readers.
void RtspCore::CheckReaders() {
  GstRTSPSessionPool* sessions = gst_rtsp_server_get_session_pool(server_);
  gst_rtsp_session_pool_cleanup(sessions);
  g_object_unref(sessions);
  const uint64_t now = MonotonicNs();
  std::vector<GstRTSPClient*> stuck;
  std::vector<std::shared_ptr<HubCore>> resumed;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& entry : readers_) {
      switch (entry.reader->Check(now, uint64_t{options_.max_stall_ms} * 1000000)) {
        case RtspReader::Verdict::kFine:
          break;
        case RtspReader::Verdict::kCutOff:
          ++cut_offs_;
          events_.Post(ReaderEvent("reader-behind", *entry.reader, entry.path));
          break;
        case RtspReader::Verdict::kResumed:
          events_.Post(ReaderEvent("reader-resumed", *entry.reader, entry.path));
          resumed.push_back(entry.hub);
          break;
        case RtspReader::Verdict::kStuck:
          ++readers_dropped_;
          events_.Post(ReaderEvent("reader-dropped", *entry.reader, entry.path));
          stuck.push_back(GST_RTSP_CLIENT(g_object_ref(entry.reader->client())));
          break;
      }
    }
  }
  for (auto& hub : resumed) hub->RequestKeyFrame();
  for (GstRTSPClient* client : stuck) {
    RemoveReaders("stalled", [&](const RtspReader& r) { return r.client() == client; });
    gst_rtsp_client_close(client);
    g_object_unref(client);
  }
}

Napi::Object RtspCore::Stats(Napi::Env env) {
  std::lock_guard<std::mutex> lock(mutex_);
  Napi::Object stats = Napi::Object::New(env);
  Napi::Array readers = Napi::Array::New(env, readers_.size());
  for (uint32_t i = 0; i < readers_.size(); ++i) {
    const RtspReader& reader = *readers_[i].reader;
    Napi::Object item = Napi::Object::New(env);
    item.Set("peer", reader.peer());
    item.Set("protocol", reader.protocol());
    item.Set("path", readers_[i].path);
    item.Set("connectedMs", static_cast<double>((MonotonicNs() - reader.since_ns()) / 1000000));
    item.Set("behind", reader.behind());
    item.Set("cutOffs", static_cast<double>(reader.cut_off_count()));
    readers.Set(i, item);
  }
  stats.Set("readers", readers);
  stats.Set("readersTotal", static_cast<double>(readers_total_));
  stats.Set("readersDropped", static_cast<double>(readers_dropped_));
  stats.Set("cutOffs", static_cast<double>(cut_offs_));
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
