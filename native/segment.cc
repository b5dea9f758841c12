#include "segment.h"

#include <algorithm>

namespace cap {

namespace {

// Ten seconds at 30 fps may wait for a slow disk, and as many of sound, which waits for the pictures as well.
constexpr unsigned kMostPictures = 300, kMostPackets = 500;
// Until there is a pipeline; beyond the past seconds that it may begin with.
constexpr size_t kMostWaiting = 4000;

std::shared_ptr<GstCaps> Shared(GstCaps* caps) {
  return caps ? std::shared_ptr<GstCaps>(gst_caps_ref(caps), gst_caps_unref) : nullptr;
}

}  // namespace

Segment::Segment(std::vector<std::shared_ptr<HubCore>> hubs, uint64_t number, uint64_t first_ns)
    : number(number), first_ns(first_ns) {
  for (auto& hub : hubs) tracks_.push_back({std::move(hub), {}});
}

Segment::~Segment() { EndAll(); }

void Segment::Feed(size_t track, const AccessUnit& unit, GstCaps* caps) {
  bytes_ += gst_buffer_get_size(unit.buffer);
  if (attached()) return doors_[track]->Consume(unit, caps);
  Track& to = tracks_[track];
  // What follows a gap could not be decoded.
  if (to.lost > 0 || to.waiting.size() >= kMostWaiting) {
    ++to.lost;
    return;
  }
  to.waiting.push_back({{gst_buffer_ref(unit.buffer), gst_buffer_unref}, Shared(caps), 0, unit.captured_ns});
}

void Segment::Attach(const std::vector<GstElement*>& appsrcs) {
  for (size_t at = 0; at < tracks_.size(); ++at) {
    Track& track = tracks_[at];
    const size_t most = (at == 0 ? kMostPictures : kMostPackets) + track.waiting.size();
    auto door = std::make_shared<AppsrcDoor>(track.hub, appsrcs[at], static_cast<unsigned>(most),
                                             AppsrcDoor::Timeline::kZero, at == 0 ? nullptr : doors_[0]);
    doors_.push_back(door);
    std::vector<AccessUnit> units;
    for (const KeptUnit& kept : track.waiting) {
      units.push_back(UnitOf(kept));
    }
    if (!units.empty()) door->ConsumeGop(units, track.waiting[0].caps.get());
    track.waiting.clear();
    if (track.lost > 0) door->Restart();
    if (track.ended) door->End();
  }
}

void Segment::End(size_t track) {
  if (tracks_[track].ended) return;
  tracks_[track].ended = true;
  if (attached()) doors_[track]->End();
}

void Segment::EndAll() {
  for (size_t track = 0; track < tracks_.size(); ++track) End(track);
}

bool Segment::ended() const {
  return std::all_of(tracks_.begin(), tracks_.end(), [](const Track& track) { return track.ended; });
}

uint64_t Segment::delivered() const { return attached() ? doors_[0]->delivered() : tracks_[0].waiting.size(); }

uint64_t Segment::dropped() const { return tracks_[0].lost + (attached() ? doors_[0]->dropped() : 0); }

}  // namespace cap
