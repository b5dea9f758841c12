// Cuts a stream and its sound into segments at key frames: every picture and every packet goes into exactly one.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "access_unit_hub.h"
#include "gop_ring.h"
#include "segment.h"

namespace cap {

struct SegmentRules {
  uint64_t most_ns = 0, most_bytes = 0;  // of a segment; 0: no bound
  // Segments only while the pictures change: from that long before the first change until that long after the last.
  bool on_change = false;
  uint64_t pre_roll_ns = 0, linger_ns = 0;
  // A screen that stands still is asked for a picture this often, so that a file always lasts until now.
  uint64_t still_ns = 0;
};

class SegmentCutter : public AccessUnitConsumer, public std::enable_shared_from_this<SegmentCutter> {
 public:
  // A segment has begun, and takes a pipeline; called on the encoder's streaming thread.
  using OnBegun = std::function<void(uint64_t number, uint64_t first_ns)>;

  // `hubs`: that of the pictures, then one for each channel of sound.
  SegmentCutter(std::vector<std::shared_ptr<HubCore>> hubs, SegmentRules rules, OnBegun on_begun);

  void Open();
  void Consume(const AccessUnit& unit, GstCaps* caps) override;
  bool WantsGop() override;
  void ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps* caps) override;
  void End() override;

  // False when that segment was given up meanwhile.
  bool Attach(uint64_t number, const std::vector<GstElement*>& appsrcs);
  // Forgets a segment that cannot be written. No other one begins until `Resume`.
  void Abandon(uint64_t number);
  void Resume();
  // Ends all segments. Those that have no pipeline yet still take one. Idempotent.
  void Close();

  struct Counters {
    uint64_t delivered, dropped, segments;
  };
  Counters counters() const;

 private:
  class Sound;

  void ConsumeSound(size_t track, const AccessUnit& unit, GstCaps* caps);
  void EndSound(size_t track);
  bool ChangedLately(const AccessUnit& unit) const;
  bool IsOver(const AccessUnit& unit, GstCaps* caps) const;
  void Await(const AccessUnit& unit, GstCaps* caps);
  void Begin(uint64_t first_ns);
  void EndCurrent(uint64_t end_ns);
  void ReleaseSound();
  void EndSilent();
  std::shared_ptr<Segment> SegmentOf(uint64_t captured_ns, size_t track);
  void Forget(const std::shared_ptr<Segment>& segment);
  void WatchForStillness();
  void Ask(unsigned in_ms);

  const std::vector<std::shared_ptr<HubCore>> hubs_;
  const SegmentRules rules_;
  const OnBegun on_begun_;
  std::vector<std::shared_ptr<Sound>> sounds_;
  mutable std::mutex mutex_;
  GopRing past_;
  std::vector<std::shared_ptr<Segment>> segments_;  // that have not ended, or have no pipeline yet
  std::shared_ptr<Segment> current_;
  std::shared_ptr<GstCaps> caps_;
  // Sound waits until the pictures of its time have come: only then it is known where the next segment begins.
  struct Held {
    std::deque<KeptUnit> packets;
    uint64_t newest_ns = 0;
    bool ended = false;
  };
  std::vector<Held> held_;
  uint64_t newest_ns_ = 0, arrived_ns_ = 0, changed_ns_ = 0;
  uint64_t numbers_ = 0, delivered_ = 0, dropped_ = 0;
  bool stopped_ = false;  // a segment was given up
  bool closed_ = false;
};

}  // namespace cap
