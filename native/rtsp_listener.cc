#include "rtsp_listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace cap {

namespace {

constexpr guint kMaxRequestBytes = 64 * 1024;
constexpr guint kMaxSessions = 1000;
// The default of 5 loses connections when many readers come at once: each tries again after a second.
constexpr int kBacklog = 128;
// Bounds how much video waits in the kernel for a slow reader; a large key frame still fits.
constexpr int kClientSendBuffer = 512 * 1024;

}  // namespace

GstRTSPServer* NewRtspServer(const std::string& host) {
  GstRTSPServer* server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(server, host.c_str());
  gst_rtsp_server_set_backlog(server, kBacklog);
  g_object_set(server, "content-length-limit", kMaxRequestBytes, nullptr);
  GstRTSPThreadPool* threads = gst_rtsp_server_get_thread_pool(server);
  // No client threads: clients are served by the main loop that accepted them, so that one thread
  // joins, checks and closes them. Media are prepared before they are mounted: nothing here blocks.
  gst_rtsp_thread_pool_set_max_threads(threads, 0);
  g_object_unref(threads);
  GstRTSPSessionPool* sessions = gst_rtsp_server_get_session_pool(server);
  gst_rtsp_session_pool_set_max_sessions(sessions, kMaxSessions);
  g_object_unref(sessions);
  return server;
}

void TuneClientSocket(GstRTSPClient* client) {
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  GSocket* socket = connection ? gst_rtsp_connection_get_write_socket(connection) : nullptr;
  if (!socket) return;
  g_socket_set_option(socket, SOL_SOCKET, SO_SNDBUF, kClientSendBuffer, nullptr);
  // A frame ends in a short segment: Nagle's algorithm would hold it for an acknowledgement.
  g_socket_set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
}

std::optional<Failure> ListenRtsp(GstRTSPServer* server, int& port, GSource*& source) {
  gst_rtsp_server_set_service(server, std::to_string(port).c_str());
  GError* error = nullptr;
  GSocket* socket = gst_rtsp_server_create_socket(server, nullptr, &error);
  if (!socket) {
    const bool in_use = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
    return FailureFromGError(in_use ? "port-in-use" : "port", error);
  }
  GSocketAddress* address = g_socket_get_local_address(socket, nullptr);
  port = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address));
  g_object_unref(address);
  source = g_socket_create_source(socket, G_IO_IN, nullptr);
  g_object_unref(socket);
  g_source_set_callback(source, G_SOURCE_FUNC(gst_rtsp_server_io_func), g_object_ref(server), g_object_unref);
  return std::nullopt;
}

}  // namespace cap
