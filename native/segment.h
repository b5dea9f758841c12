// What goes into one file of a recording: waits here until there is a pipeline for it, and then goes there.
#pragma once

#include <limits>
#include <memory>
#include <vector>

#include "appsrc_door.h"
#include "gop_ring.h"

namespace cap {

class Segment {
 public:
  // `hubs`: that of the pictures, then one for each channel of sound.
  Segment(std::vector<std::shared_ptr<HubCore>> hubs, uint64_t number, uint64_t first_ns);
  ~Segment();

  void Feed(size_t track, const AccessUnit& unit, GstCaps* caps);
  // An appsrc for each track, in the same order.
  void Attach(const std::vector<GstElement*>& appsrcs);
  // Nothing more comes for that track.
  void End(size_t track);
  void EndAll();

  bool attached() const { return !doors_.empty(); }
  bool ended(size_t track) const { return tracks_[track].ended; }
  bool ended() const;
  uint64_t bytes() const { return bytes_; }
  // Of the pictures: those that were fed, and those that were lost to a slow disk.
  uint64_t delivered() const;
  uint64_t dropped() const;

  const uint64_t number;
  const uint64_t first_ns;
  // Where the next one begins.
  uint64_t end_ns = std::numeric_limits<uint64_t>::max();

 private:
  struct Track {
    std::shared_ptr<HubCore> hub;
    std::vector<KeptUnit> waiting;
    uint64_t lost = 0;
    bool ended = false;
  };

  std::vector<Track> tracks_;
  std::vector<std::shared_ptr<AppsrcDoor>> doors_;
  uint64_t bytes_ = 0;
};

}  // namespace cap
