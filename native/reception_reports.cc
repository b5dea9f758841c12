#include "reception_reports.h"

namespace cap {

namespace {

constexpr double kVideoTicksPerMs = 90;
constexpr double kRoundTripUnitsPerMs = 65.536;  // 1/65536 s

guint UintOf(const GstStructure* stats, const char* field) {
  guint value = 0;
  gst_structure_get_uint(stats, field, &value);
  return value;
}

void ReadSource(const GstStructure* stats, ReceptionReports& reports) {
  gboolean has_report = FALSE;
  const gchar* from = gst_structure_get_string(stats, "rtcp-from");
  if (!from || !gst_structure_get_boolean(stats, "have-rb", &has_report) || !has_report) return;
  ReceptionReport report;
  gst_structure_get_int(stats, "rb-packetslost", &report.packets_lost);
  report.highest_seq = UintOf(stats, "rb-exthighestseq");
  report.jitter_ms = UintOf(stats, "rb-jitter") / kVideoTicksPerMs;
  report.round_trip_ms = UintOf(stats, "rb-round-trip") / kRoundTripUnitsPerMs;
  report.sender_report = UintOf(stats, "rb-lsr");
  // Whoever plays again from the same ports is another source, and the one before is kept for a while.
  const auto [found, is_new] = reports.emplace(from, report);
  if (!is_new && report.sender_report > found->second.sender_report) found->second = report;
}

}  // namespace

ReceptionReports ReadReceptionReports(GstRTSPMedia* media) {
  ReceptionReports reports;
  GstRTSPStream* stream = gst_rtsp_media_get_stream(media, 0);
  GObject* session = stream ? gst_rtsp_stream_get_rtpsession(stream) : nullptr;
  if (!session) return reports;
  GstStructure* stats = nullptr;
  g_object_get(session, "stats", &stats, nullptr);
  g_object_unref(session);
  if (!stats) return reports;
  // A GValueArray is deprecated, yet what rtpsession has.
  G_GNUC_BEGIN_IGNORE_DEPRECATIONS
  const GValue* value = gst_structure_get_value(stats, "source-stats");
  const auto* sources = value ? static_cast<GValueArray*>(g_value_get_boxed(value)) : nullptr;
  for (guint i = 0; sources && i < sources->n_values; ++i) {
    ReadSource(gst_value_get_structure(&sources->values[i]), reports);
  }
  G_GNUC_END_IGNORE_DEPRECATIONS
  gst_structure_free(stats);
  return reports;
}

}  // namespace cap
