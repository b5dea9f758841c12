// The server object with its bounds, the sockets that it listens on, and those of its clients.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <optional>
#include <string>

#include "failure.h"

namespace cap {

GstRTSPServer* NewRtspServer(const std::string& host);

// gst_rtsp_server_create_source is for one socket a server; this may be called for several.
// Listens on `port`, 0 for a free one, and then says which it is. `source` accepts once it is attached to a context.
std::optional<Failure> ListenRtsp(GstRTSPServer* server, int& port, GSource*& source);

// For video in time rather than for throughput; also of a client that speaks TLS.
void TuneClientSocket(GstRTSPClient* client);

}  // namespace cap
