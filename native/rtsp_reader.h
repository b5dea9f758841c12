// One reader of an RTSP mount, from PLAY to its end: who it is, and whether it keeps up.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reception_reports.h"

namespace cap {

// gst-rtsp-server 1.22 queues up to ten seconds for a slow TCP reader beside a healthy one and
// then drops it in silence while its socket stays open. A reader is therefore watched by what
// its socket has not sent: behind for a second, it is taken off the stream, so that it loses
// whole GOPs; drained again, it is put back with a key frame; stuck for too long, it is closed.
class RtspReader {
 public:
  struct Identity {
    uint64_t id;  // counted from 1 by the server
    std::string session_id;
    std::string user;  // empty without a login
    std::string path;  // of its mount
    bool secure;       // over TLS
  };

  // `transports`: of each stream in `media` that it plays, at least one. Takes references of its own.
  RtspReader(GstRTSPClient* client, GstRTSPMedia* media, const std::vector<GstRTSPStreamTransport*>& transports,
             Identity identity);
  ~RtspReader();
  RtspReader(const RtspReader&) = delete;
  RtspReader& operator=(const RtspReader&) = delete;

  enum class Verdict { kFine, kCutOff, kResumed, kStuck };

  // To be called every few hundred milliseconds.
  Verdict Check(uint64_t now_ns, uint64_t max_stall_ns);

  // Takes its own out of those of its media. Over TCP there is none that would tell anything.
  void TakeReport(const ReceptionReports& reports);

  GstRTSPClient* client() const { return client_; }
  GstRTSPMedia* media() const { return media_; }
  bool tcp() const { return tcp_; }
  const Identity& identity() const { return identity_; }
  const std::string& peer() const { return peer_; }
  const char* protocol() const { return identity_.secure ? "tls" : tcp_ ? "tcp" : "udp"; }
  uint64_t since_ns() const { return since_ns_; }
  uint64_t cut_off_count() const { return cut_off_count_; }
  bool behind() const { return off_stream_; }
  // What it has been sent, or over TCP has acknowledged, up to the last Check.
  uint64_t sent_bytes() const { return sent_bytes_; }
  // What waits in its TCP socket, up to the last Check.
  uint64_t backlog_bytes() const { return backlog_bytes_; }
  const std::optional<ReceptionReport>& report() const { return report_; }

 private:
  uint64_t SentOverUdp() const;

  GstRTSPClient* client_;
  GstRTSPMedia* media_;
  std::vector<GstRTSPStreamTransport*> transports_;
  const Identity identity_;
  std::string peer_;
  bool tcp_;
  uint64_t since_ns_;
  uint64_t behind_since_ns_ = 0;  // 0: not behind
  uint64_t progress_ns_ = 0;      // when the peer last acknowledged something
  uint64_t acked_ = 0;
  uint64_t cut_off_count_ = 0;
  uint64_t sent_bytes_ = 0, backlog_bytes_ = 0;
  std::optional<ReceptionReport> report_;
  bool off_stream_ = false;
};

}  // namespace cap
