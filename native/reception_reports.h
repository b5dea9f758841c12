// What a stream's UDP readers say by RTCP of how it reaches them.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <cstdint>
#include <map>
#include <string>

namespace cap {

// The newest report block of RFC 3550, 6.4.1 about our packets.
struct ReceptionReport {
  int32_t packets_lost = 0;    // since it began to receive
  uint32_t highest_seq = 0;    // extended sequence number of the newest packet
  double jitter_ms = 0;        // between packets
  double round_trip_ms = 0;    // 0: not known
  uint32_t sender_report = 0;  // which one it had seen: newer reports have a later one
};

// By the address that reports come from, `192.0.2.7:5005`.
using ReceptionReports = std::map<std::string, ReceptionReport>;

// Of the video, which is a media's first stream.
ReceptionReports ReadReceptionReports(GstRTSPMedia* media);

}  // namespace cap
