#include "rtp_start.h"

#include <gst/rtp/gstrtpbuffer.h>

namespace cap {

namespace {

constexpr unsigned kSei = 6, kDelimiter = 9, kStapA = 24;

// Whether a payload (RFC 6184) starts with what stands before a picture's slices: SEI, parameter sets or delimiter.
bool BeginsAccessUnit(const guint8* payload, guint size) {
  if (size == 0) return false;
  unsigned type = payload[0] & 0x1f;
  if (type == kStapA && size > 3) type = payload[3] & 0x1f;
  return type >= kSei && type <= kDelimiter;
}

GstPadProbeReturn OnPacket(GstPad*, GstPadProbeInfo* info, gpointer data) {
  bool* ended = static_cast<bool*>(data);
  if (*ended) return GST_PAD_PROBE_REMOVE;  // the last packet was a picture's last, so this one begins another
  GstRTPBuffer packet = GST_RTP_BUFFER_INIT;
  if (!gst_rtp_buffer_map(GST_PAD_PROBE_INFO_BUFFER(info), GST_MAP_READ, &packet)) return GST_PAD_PROBE_OK;
  const bool begins = BeginsAccessUnit(static_cast<const guint8*>(gst_rtp_buffer_get_payload(&packet)),
                                       gst_rtp_buffer_get_payload_len(&packet));
  *ended = gst_rtp_buffer_get_marker(&packet);
  gst_rtp_buffer_unmap(&packet);
  return begins ? GST_PAD_PROBE_REMOVE : GST_PAD_PROBE_DROP;
}

}  // namespace

void DropUntilAccessUnit(GstElement* depayloader) {
  GstPad* pad = gst_element_get_static_pad(depayloader, "sink");
  gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, OnPacket, new bool(false),
                    [](gpointer data) { delete static_cast<bool*>(data); });
  gst_object_unref(pad);
}

}  // namespace cap
