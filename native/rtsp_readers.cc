#include "rtsp_readers.h"

#include <algorithm>
#include <map>

#include "frame_stamper.h"

namespace cap {

namespace {

Event ReaderEvent(const char* type, const RtspReader& reader) {
  const RtspReader::Identity& identity = reader.identity();
  return {type,
          {{"id", static_cast<double>(identity.id)},
           {"peer", reader.peer()},
           {"protocol", std::string(reader.protocol())},
           {"path", identity.path},
           {"user", identity.user}}};
}

Napi::Object Describe(Napi::Env env, const RtspReader& reader) {
  const RtspReader::Identity& identity = reader.identity();
  Napi::Object item = Napi::Object::New(env);
  item.Set("id", static_cast<double>(identity.id));
  item.Set("peer", reader.peer());
  if (!identity.user.empty()) item.Set("user", identity.user);
  item.Set("protocol", reader.protocol());
  item.Set("path", identity.path);
  item.Set("connectedMs", static_cast<double>((MonotonicNs() - reader.since_ns()) / 1000000));
  item.Set("sentBytes", static_cast<double>(reader.sent_bytes()));
  item.Set("behind", reader.behind());
  item.Set("cutOffs", static_cast<double>(reader.cut_off_count()));
  if (reader.tcp()) item.Set("backlogBytes", static_cast<double>(reader.backlog_bytes()));
  if (const auto& report = reader.report()) {
    Napi::Object described = Napi::Object::New(env);
    described.Set("packetsLost", report->packets_lost);
    described.Set("highestSequence", report->highest_seq);
    described.Set("jitterMs", report->jitter_ms);
    if (report->round_trip_ms > 0) described.Set("roundTripMs", report->round_trip_ms);
    item.Set("report", described);
  }
  return item;
}

}  // namespace

void RtspReaders::Add(std::unique_ptr<RtspReader> reader, std::shared_ptr<HubCore> hub) {
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto& entry : entries_) {
    if (entry.reader->identity().session_id == reader->identity().session_id) return;  // PLAY again
  }
  events_.Post(ReaderEvent("reader-joined", *reader));
  ++total_;
  auto watching = std::make_unique<Watching>(hub);
  entries_.push_back({std::move(reader), std::move(hub), std::move(watching)});
}

void RtspReaders::Remove(const char* reason, const Match& matches) {
  std::vector<Entry> gone;  // destroyed outside the lock: letting a client go may call back
  std::lock_guard<std::mutex> lock(mutex_);
  for (size_t i = 0; i < entries_.size();) {
    if (!matches(*entries_[i].reader)) {
      ++i;
      continue;
    }
    Event event = ReaderEvent("reader-left", *entries_[i].reader);
    event.fields.emplace_back("reason", std::string(reason));
    events_.Post(std::move(event));
    gone.push_back(std::move(entries_[i]));
    entries_.erase(entries_.begin() + static_cast<ptrdiff_t>(i));
  }
}

void RtspReaders::Clear() {
  std::vector<Entry> gone;
  std::lock_guard<std::mutex> lock(mutex_);
  gone.swap(entries_);
}

void RtspReaders::Check(uint64_t max_stall_ns) {
  const uint64_t now = MonotonicNs();
  std::vector<uint64_t> stuck;
  std::vector<std::shared_ptr<HubCore>> resumed;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& entry : entries_) {
      switch (entry.reader->Check(now, max_stall_ns)) {
        case RtspReader::Verdict::kFine:
          break;
        case RtspReader::Verdict::kCutOff:
          ++cut_offs_;
          events_.Post(ReaderEvent("reader-behind", *entry.reader));
          break;
        case RtspReader::Verdict::kResumed:
          events_.Post(ReaderEvent("reader-resumed", *entry.reader));
          resumed.push_back(entry.hub);
          break;
        case RtspReader::Verdict::kStuck:
          ++dropped_;
          events_.Post(ReaderEvent("reader-dropped", *entry.reader));
          stuck.push_back(entry.reader->identity().id);
          break;
      }
    }
  }
  for (auto& hub : resumed) hub->RequestKeyFrame();
  if (stuck.empty()) return;
  Close(nullptr, "stalled", [&](const RtspReader& reader) {
    return std::find(stuck.begin(), stuck.end(), reader.identity().id) != stuck.end();
  });
}

void RtspReaders::ReadReports() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::map<GstRTSPMedia*, ReceptionReports> of_media;
  for (auto& entry : entries_) {
    if (entry.reader->tcp()) continue;
    GstRTSPMedia* media = entry.reader->media();
    auto found = of_media.find(media);
    if (found == of_media.end()) found = of_media.emplace(media, ReadReceptionReports(media)).first;
    entry.reader->TakeReport(found->second);
  }
}

void RtspReaders::Close(GstRTSPSessionPool* sessions, const char* reason, const Match& matches) {
  std::vector<std::pair<GstRTSPClient*, std::string>> ending;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto& entry : entries_) {
      if (!matches(*entry.reader)) continue;
      ending.emplace_back(GST_RTSP_CLIENT(g_object_ref(entry.reader->client())), entry.reader->identity().session_id);
    }
  }
  Remove(reason, matches);
  for (auto& [client, session_id] : ending) {
    gst_rtsp_client_close(client);
    g_object_unref(client);
    // Without its session a UDP reader would be sent packets until it times out.
    GstRTSPSession* session = sessions ? gst_rtsp_session_pool_find(sessions, session_id.c_str()) : nullptr;
    if (!session) continue;
    gst_rtsp_session_pool_remove(sessions, session);
    g_object_unref(session);
  }
}

size_t RtspReaders::Count(const Match& matches) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<size_t>(
      std::count_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return matches(*entry.reader); }));
}

bool RtspReaders::Any(const HubCore* hub) const {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.hub.get() == hub; });
}

void RtspReaders::Report(Napi::Object stats) const {
  std::lock_guard<std::mutex> lock(mutex_);
  Napi::Array readers = Napi::Array::New(stats.Env(), entries_.size());
  for (uint32_t i = 0; i < entries_.size(); ++i) readers.Set(i, Describe(stats.Env(), *entries_[i].reader));
  stats.Set("readers", readers);
  stats.Set("readersTotal", static_cast<double>(total_));
  stats.Set("readersDropped", static_cast<double>(dropped_));
  stats.Set("cutOffs", static_cast<double>(cut_offs_));
}

}  // namespace cap
