// All readers of a server: who joins and leaves, who is too slow, and how many there are.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "access_unit_hub.h"
#include "event_channel.h"
#include "rtsp_reader.h"

namespace cap {

// Changed on the main loop's thread alone; read from any.
class RtspReaders {
 public:
  using Match = std::function<bool(const RtspReader&)>;

  explicit RtspReaders(EventChannel& events) : events_(events) {}

  // Takes whoever plays for the first time in its session.
  void Add(std::unique_ptr<RtspReader> reader, std::shared_ptr<HubCore> hub);
  void Remove(const char* reason, const Match& matches);
  // Removes all without a word.
  void Clear();

  // Those who are too slow lose frames, get a key frame when they are back, and are closed when nothing moves.
  void Check(uint64_t max_stall_ns);

  // Reads what UDP readers report; every second or so.
  void ReadReports();

  // Ends the connections and sessions of those that match.
  void Close(GstRTSPSessionPool* sessions, const char* reason, const Match& matches);

  size_t Count(const Match& matches) const;
  bool Any(const HubCore* hub) const;
  uint64_t NextId() { return ++last_id_; }

  // Sets `readers` and the counters.
  void Report(Napi::Object stats) const;

 private:
  struct Entry {
    std::unique_ptr<RtspReader> reader;
    std::shared_ptr<HubCore> hub;
    std::unique_ptr<Watching> watching;
  };

  EventChannel& events_;
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  uint64_t last_id_ = 0, total_ = 0, dropped_ = 0, cut_offs_ = 0;
};

}  // namespace cap
