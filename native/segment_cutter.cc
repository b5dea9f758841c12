#include "segment_cutter.h"

#include <algorithm>

#include "frame_stamper.h"
#include "main_loop.h"

namespace cap {

namespace {

constexpr uint64_t kMsNs = 1000000;
// However large its pictures are, a segment is no shorter.
constexpr uint64_t kShortestNs = 1000 * kMsNs;
// A channel of sound that says nothing for so long does not keep a file from being finished.
constexpr uint64_t kSilentNs = 3000 * kMsNs;
constexpr size_t kMostPastBytes = 128 << 20, kMostHeldPackets = 8000;
constexpr unsigned kShortestPauseMs = 20;

}  // namespace

// A channel's consumer.
class SegmentCutter::Sound : public AccessUnitConsumer {
 public:
  Sound(std::weak_ptr<SegmentCutter> cutter, size_t track) : cutter_(std::move(cutter)), track_(track) {}
  void Consume(const AccessUnit& unit, GstCaps* caps) override {
    if (auto cutter = cutter_.lock()) cutter->ConsumeSound(track_, unit, caps);
  }
  void End() override {
    if (auto cutter = cutter_.lock()) cutter->EndSound(track_);
  }

 private:
  const std::weak_ptr<SegmentCutter> cutter_;
  const size_t track_;
};

SegmentCutter::SegmentCutter(std::vector<std::shared_ptr<HubCore>> hubs, SegmentRules rules, OnBegun on_begun)
    : hubs_(std::move(hubs)),
      rules_(rules),
      on_begun_(std::move(on_begun)),
      past_(hubs_[0], rules.pre_roll_ns, kMostPastBytes, [] {}),
      held_(hubs_.size()) {}

void SegmentCutter::Open() {
  for (size_t track = 1; track < hubs_.size(); ++track) {
    sounds_.push_back(std::make_shared<Sound>(weak_from_this(), track));
    hubs_[track]->Add(sounds_.back());
  }
  hubs_[0]->Add(shared_from_this());
  Ask(kShortestPauseMs);
}

void SegmentCutter::Close() {
  hubs_[0]->Remove(shared_from_this());
  for (size_t at = 0; at < sounds_.size(); ++at) hubs_[at + 1]->Remove(sounds_[at]);
  End();
}

void SegmentCutter::End() {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  closed_ = true;
  ReleaseSound();
  current_.reset();
  for (const auto& segment : std::vector<std::shared_ptr<Segment>>(segments_)) {
    segment->EndAll();
    Forget(segment);
  }
}

// --- pictures, on the encoder's streaming thread ---

bool SegmentCutter::WantsGop() {
  std::lock_guard<std::mutex> lock(mutex_);
  return !current_ && !stopped_ && !closed_;
}

void SegmentCutter::ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps* caps) {
  for (const AccessUnit& unit : gop) Consume(unit, caps);
}

bool SegmentCutter::ChangedLately(const AccessUnit& unit) const {
  return changed_ns_ != 0 && unit.captured_ns - changed_ns_ < rules_.linger_ns;
}

// Whether the segment should have ended before this unit.
bool SegmentCutter::IsOver(const AccessUnit& unit, GstCaps* caps) const {
  const uint64_t lasted = unit.captured_ns - current_->first_ns;
  if (rules_.on_change && !ChangedLately(unit)) return true;
  if (rules_.most_ns > 0 && lasted >= rules_.most_ns) return true;
  if (rules_.most_bytes > 0 && current_->bytes() >= rules_.most_bytes && lasted >= kShortestNs) return true;
  // A track has one size.
  return caps && caps_ && caps != caps_.get() && !gst_caps_is_equal(caps, caps_.get());
}

void SegmentCutter::Consume(const AccessUnit& unit, GstCaps* caps) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  // What is on the screen when the recording begins is no change.
  if (unit.changed && newest_ns_ != 0) changed_ns_ = unit.captured_ns;
  newest_ns_ = std::max(newest_ns_, unit.captured_ns);
  arrived_ns_ = MonotonicNs();
  if (current_ && IsOver(unit, caps)) {
    if (unit.key) {
      EndCurrent(unit.captured_ns);
    } else {
      hubs_[0]->RequestKeyFrame();
    }
  }
  if (current_) {
    current_->Feed(0, unit, caps);
  } else if (stopped_) {
    ++dropped_;
  } else {
    Await(unit, caps);
  }
  ReleaseSound();
}

// Begins a segment, if it is time for one.
void SegmentCutter::Await(const AccessUnit& unit, GstCaps* caps) {
  if (!rules_.on_change) {
    if (!unit.key) return hubs_[0]->RequestKeyFrame();
    caps_ = caps ? std::shared_ptr<GstCaps>(gst_caps_ref(caps), gst_caps_unref) : nullptr;
    Begin(unit.captured_ns);
    return current_->Feed(0, unit, caps);
  }
  past_.Consume(unit, caps);
  if (past_.level().units == 0 || !ChangedLately(unit)) return;
  const std::vector<KeptUnit> past = past_.Take();
  // Pictures of another size, from before the screen was resized, cannot be in the same file.
  const auto first = std::find_if(past.begin(), past.end(), [&](const KeptUnit& kept) {
    return kept.caps == past.back().caps && UnitOf(kept).key;
  });
  caps_ = past.back().caps;
  Begin(first->captured_ns);
  for (auto kept = first; kept != past.end(); ++kept) current_->Feed(0, UnitOf(*kept), kept->caps.get());
}

void SegmentCutter::Begin(uint64_t first_ns) {
  current_ = std::make_shared<Segment>(hubs_, ++numbers_, first_ns);
  segments_.push_back(current_);
  on_begun_(current_->number, first_ns);
}

void SegmentCutter::EndCurrent(uint64_t end_ns) {
  current_->end_ns = end_ns;
  current_->End(0);
  current_.reset();
}

// --- sound, on the threads of its encoders ---

void SegmentCutter::ConsumeSound(size_t track, const AccessUnit& unit, GstCaps* caps) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_) return;
  Held& held = held_[track];
  held.newest_ns = unit.captured_ns;
  held.packets.push_back(
      {{gst_buffer_ref(unit.buffer), gst_buffer_unref}, {gst_caps_ref(caps), gst_caps_unref}, 0, unit.captured_ns});
  if (held.packets.size() > kMostHeldPackets) held.packets.pop_front();
  ReleaseSound();
}

void SegmentCutter::EndSound(size_t track) {
  std::lock_guard<std::mutex> lock(mutex_);
  held_[track].ended = true;
  ReleaseSound();
}

std::shared_ptr<Segment> SegmentCutter::SegmentOf(uint64_t captured_ns, size_t track) {
  for (const auto& segment : segments_) {
    if (captured_ns >= segment->first_ns && captured_ns < segment->end_ns && !segment->ended(track)) return segment;
  }
  return nullptr;
}

void SegmentCutter::ReleaseSound() {
  const uint64_t past_ns = current_ ? 0 : past_.level().oldest_ns;
  for (size_t track = 1; track < held_.size(); ++track) {
    std::deque<KeptUnit>& packets = held_[track].packets;
    while (!packets.empty() && packets.front().captured_ns <= newest_ns_) {
      const KeptUnit& packet = packets.front();
      const auto segment = SegmentOf(packet.captured_ns, track);
      // It may belong to a segment that begins in the past.
      if (!segment && past_ns > 0 && packet.captured_ns >= past_ns) break;
      if (segment) segment->Feed(track, UnitOf(packet), packet.caps.get());
      packets.pop_front();
    }
  }
  EndSilent();
}

// Ends tracks of segments whose sound has all come, and will not come.
void SegmentCutter::EndSilent() {
  for (const auto& segment : std::vector<std::shared_ptr<Segment>>(segments_)) {
    for (size_t track = 1; track < held_.size(); ++track) {
      const bool is_over = held_[track].newest_ns >= segment->end_ns && newest_ns_ >= segment->end_ns;
      const bool is_silent = segment != current_ && newest_ns_ > segment->end_ns + kSilentNs;
      if (is_over || is_silent || held_[track].ended) segment->End(track);
    }
    Forget(segment);
  }
}

// Lets go of a segment that needs nothing more.
void SegmentCutter::Forget(const std::shared_ptr<Segment>& segment) {
  if (segment == current_ || !segment->ended() || !segment->attached()) return;
  delivered_ += segment->delivered();
  dropped_ += segment->dropped();
  segments_.erase(std::find(segments_.begin(), segments_.end(), segment));
}

// --- from JavaScript ---

bool SegmentCutter::Attach(uint64_t number, const std::vector<GstElement*>& appsrcs) {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found =
      std::find_if(segments_.begin(), segments_.end(), [&](const auto& segment) { return segment->number == number; });
  if (found == segments_.end()) return false;
  const auto segment = *found;
  segment->Attach(appsrcs);
  Forget(segment);
  return true;
}

void SegmentCutter::Abandon(uint64_t number) {
  std::lock_guard<std::mutex> lock(mutex_);
  stopped_ = true;
  const auto found =
      std::find_if(segments_.begin(), segments_.end(), [&](const auto& segment) { return segment->number == number; });
  if (found == segments_.end()) return;
  dropped_ += (*found)->dropped() + ((*found)->attached() ? 0 : (*found)->delivered());
  if ((*found)->attached()) delivered_ += (*found)->delivered();
  if (*found == current_) current_.reset();
  segments_.erase(found);
}

void SegmentCutter::Resume() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    stopped_ = false;
  }
  hubs_[0]->RequestKeyFrame();
}

SegmentCutter::Counters SegmentCutter::counters() const {
  std::lock_guard<std::mutex> lock(mutex_);
  Counters counters{delivered_, dropped_, numbers_};
  for (const auto& segment : segments_) {
    counters.delivered += segment->delivered();
    counters.dropped += segment->dropped();
  }
  return counters;
}

// --- the still screen, on the main loop's thread ---

void SegmentCutter::Ask(unsigned in_ms) {
  MainLoop::Get().After(in_ms, [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->WatchForStillness();
  });
}

void SegmentCutter::WatchForStillness() {
  uint64_t since_ns = 0;
  bool is_still = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    since_ns = MonotonicNs() - arrived_ns_;
    is_still = current_ && since_ns >= rules_.still_ns;
  }
  if (is_still) hubs_[0]->Refresh();
  const uint64_t left_ns = since_ns < rules_.still_ns ? rules_.still_ns - since_ns : rules_.still_ns;
  Ask(std::max(kShortestPauseMs, static_cast<unsigned>(left_ns / kMsNs)));
}

}  // namespace cap
