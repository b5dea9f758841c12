// A door into another pipeline: feeds its appsrc from the hub, bounded, whole GOPs or nothing.
#pragma once

#include <gst/app/gstappsrc.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "access_unit_hub.h"

namespace cap {

class AppsrcDoor : public AccessUnitConsumer, public std::enable_shared_from_this<AppsrcDoor> {
 public:
  // How a unit's capture time becomes its PTS.
  enum class Timeline {
    kClock,  // running time of the door's live pipeline: PTS + base time is the capture time
    kZero,   // starts at zero with the first unit, for files
  };

  // Takes a reference on `appsrc`. `max_units` may wait in it before the door drops.
  // With a `leader`, zero is its first unit, and nothing is fed before.
  AppsrcDoor(std::shared_ptr<HubCore> hub, GstElement* appsrc, unsigned max_units, Timeline timeline,
             std::shared_ptr<const AppsrcDoor> leader = nullptr);
  ~AppsrcDoor() override;

  void Consume(const AccessUnit& unit, GstCaps* caps) override;
  bool WantsGop() override;
  void ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps* caps) override;
  // Ends the appsrc's stream, so that a muxer waits for it no longer.
  void End() override;

  // What is fed next is a key frame or, where the hub keeps it, the whole GOP so far: for the only
  // reader, who joins late.
  void Restart();

  // Leaves the hub and ends the appsrc's stream. Idempotent.
  void Close();

  uint64_t delivered() const { return delivered_; }
  uint64_t dropped() const { return dropped_; }
  // Of those delivered, how many the pipeline has not taken yet.
  uint64_t waiting() const { return gst_app_src_get_current_level_buffers(GST_APP_SRC(appsrc_)); }

 private:
  bool IsReady() const;
  bool Precedes(const AccessUnit& unit) const;
  bool Admit(const AccessUnit& unit);
  void Feed(const AccessUnit& unit, GstCaps* caps);
  GstClockTime Pts(const AccessUnit& unit);

  std::shared_ptr<HubCore> hub_;
  GstElement* appsrc_;
  const unsigned max_units_;
  const Timeline timeline_;
  std::mutex mutex_;
  GstCaps* caps_ = nullptr;
  bool waits_for_key_ = true;
  bool at_start_ = true;  // nothing has been fed since it was opened or restarted
  bool closed_ = false;
  const std::shared_ptr<const AppsrcDoor> leader_;
  std::atomic<uint64_t> first_ns_{0};  // capture time of the first unit
  GstClockTime last_pts_ = GST_CLOCK_TIME_NONE;
  std::atomic<uint64_t> delivered_{0}, dropped_{0};
};

}  // namespace cap
