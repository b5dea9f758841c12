#include "rtsp_reader.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "frame_stamper.h"

namespace cap {

namespace {

constexpr uint64_t kCutOffNs = 1000000000;

struct SendState {
  uint64_t acked;    // bytes the peer has acknowledged
  uint32_t waiting;  // bytes in the socket that could not be sent yet
  uint32_t unacked;  // segments in flight
};

std::optional<SendState> ReadSendState(GstRTSPClient* client) {
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  GSocket* socket = connection ? gst_rtsp_connection_get_write_socket(connection) : nullptr;
  if (!socket) return std::nullopt;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (getsockopt(g_socket_get_fd(socket), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) return std::nullopt;
  return SendState{info.tcpi_bytes_acked, info.tcpi_notsent_bytes, info.tcpi_unacked};
}

std::string PeerOf(GstRTSPClient* client) {
  GstRTSPConnection* connection = gst_rtsp_client_get_connection(client);
  const gchar* ip = connection ? gst_rtsp_connection_get_ip(connection) : nullptr;
  return ip ? ip : "";
}

}  // namespace

RtspReader::RtspReader(GstRTSPClient* client, GstRTSPMedia* media,
                       const std::vector<GstRTSPStreamTransport*>& transports, Identity identity)
    : client_(GST_RTSP_CLIENT(g_object_ref(client))),
      media_(GST_RTSP_MEDIA(g_object_ref(media))),
      transports_(transports),
      identity_(std::move(identity)),
      peer_(PeerOf(client)),
      tcp_(gst_rtsp_stream_transport_get_transport(transports.front())->lower_transport == GST_RTSP_LOWER_TRANS_TCP),
      since_ns_(MonotonicNs()) {
  for (GstRTSPStreamTransport* transport : transports_) {
    g_object_ref(transport);
    g_object_ref(gst_rtsp_stream_transport_get_stream(transport));
  }
}

RtspReader::~RtspReader() {
  for (GstRTSPStreamTransport* transport : transports_) {
    g_object_unref(gst_rtsp_stream_transport_get_stream(transport));
    g_object_unref(transport);
  }
  g_object_unref(media_);
  g_object_unref(client_);
}

// gst-rtsp-server keeps its UDP sinks to itself, but they count for each address.
uint64_t RtspReader::SentOverUdp() const {
  GstElement* bin = gst_rtsp_media_get_element(media_);
  GstObject* pipeline = gst_object_get_parent(GST_OBJECT(bin));
  uint64_t sum = 0;
  GstIterator* sinks = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "multiudpsink");
  GValue item = G_VALUE_INIT;
  while (gst_iterator_next(sinks, &item) == GST_ITERATOR_OK) {
    for (GstRTSPStreamTransport* stream_transport : transports_) {
      const GstRTSPTransport* transport = gst_rtsp_stream_transport_get_transport(stream_transport);
      GstStructure* stats = nullptr;
      g_signal_emit_by_name(g_value_get_object(&item), "get-stats", transport->destination, transport->client_port.min,
                            &stats);
      guint64 bytes = 0;
      if (stats && gst_structure_get_uint64(stats, "bytes-sent", &bytes)) sum += bytes;
      if (stats) gst_structure_free(stats);
    }
    g_value_reset(&item);
  }
  g_value_unset(&item);
  gst_iterator_free(sinks);
  gst_object_unref(pipeline);
  gst_object_unref(bin);
  return sum;
}

void RtspReader::TakeReport(const ReceptionReports& reports) {
  for (GstRTSPStreamTransport* stream_transport : transports_) {
    const GstRTSPTransport* transport = gst_rtsp_stream_transport_get_transport(stream_transport);
    for (const int port : {transport->client_port.max, transport->client_port.min}) {
      const auto found = reports.find(std::string(transport->destination) + ":" + std::to_string(port));
      if (found == reports.end()) continue;
      report_ = found->second;
      return;
    }
  }
}

RtspReader::Verdict RtspReader::Check(uint64_t now_ns, uint64_t max_stall_ns) {
  if (!tcp_) {  // no backlog; a vanished UDP reader ends with its session
    sent_bytes_ = SentOverUdp();
    return Verdict::kFine;
  }
  const auto state = ReadSendState(client_);
  if (!state) return Verdict::kFine;
  sent_bytes_ = state->acked;
  backlog_bytes_ = state->waiting;
  const bool drained = state->waiting == 0;
  if (state->acked != acked_ || (drained && state->unacked == 0)) {
    acked_ = state->acked;
    progress_ns_ = now_ns;
  }
  if (off_stream_) {
    if (drained) {
      off_stream_ = false;
      behind_since_ns_ = 0;
      for (GstRTSPStreamTransport* transport : transports_) {
        gst_rtsp_stream_add_transport(gst_rtsp_stream_transport_get_stream(transport), transport);
      }
      return Verdict::kResumed;
    }
    return now_ns - progress_ns_ > max_stall_ns ? Verdict::kStuck : Verdict::kFine;
  }
  if (drained) {
    behind_since_ns_ = 0;
    return Verdict::kFine;
  }
  if (behind_since_ns_ == 0) behind_since_ns_ = now_ns;
  if (now_ns - behind_since_ns_ < kCutOffNs) return Verdict::kFine;
  // Taking a transport off its stream also empties its backlog.
  for (GstRTSPStreamTransport* transport : transports_) {
    gst_rtsp_stream_remove_transport(gst_rtsp_stream_transport_get_stream(transport), transport);
  }
  off_stream_ = true;
  ++cut_off_count_;
  return Verdict::kCutOff;
}

}  // namespace cap
