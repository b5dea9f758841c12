#include "appsrc_door.h"

#include <algorithm>

namespace cap {

namespace {

constexpr GstClockTime kLeastStep = 100 * GST_USECOND;

}  // namespace

AppsrcDoor::AppsrcDoor(std::shared_ptr<HubCore> hub, GstElement* appsrc, unsigned max_units, Timeline timeline,
                       std::shared_ptr<const AppsrcDoor> leader)
    : hub_(std::move(hub)),
      appsrc_(GST_ELEMENT(gst_object_ref(appsrc))),
      max_units_(max_units),
      timeline_(timeline),
      leader_(std::move(leader)) {
  // The door bounds the queue itself, so appsrc must neither block nor refuse.
  g_object_set(appsrc_, "format", GST_FORMAT_TIME, "block", FALSE, "max-bytes", guint64{0}, "max-buffers", guint64{0},
               "max-time", guint64{0}, "do-timestamp", FALSE, nullptr);
  gst_app_src_set_stream_type(GST_APP_SRC(appsrc_), GST_APP_STREAM_TYPE_STREAM);
}

AppsrcDoor::~AppsrcDoor() {
  if (caps_) gst_caps_unref(caps_);
  gst_object_unref(appsrc_);
}

void AppsrcDoor::Restart() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    waits_for_key_ = at_start_ = true;
  }
  hub_->RequestKeyFrame();
}

void AppsrcDoor::Close() {
  hub_->Remove(shared_from_this());
  End();
}

void AppsrcDoor::End() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return;
    closed_ = true;
  }
  gst_app_src_end_of_stream(GST_APP_SRC(appsrc_));
}

// Decides on one unit. A full door drops up to the next key frame that finds room for half a
// queue: what a decoder gets is always whole.
bool AppsrcDoor::Admit(const AccessUnit& unit) {
  const uint64_t waiting = this->waiting();
  if (!waits_for_key_) {
    if (waiting < max_units_) return true;
    waits_for_key_ = true;
  }
  if (waiting > max_units_ / 2) return false;
  if (!unit.key) {
    hub_->RequestKeyFrame();
    return false;
  }
  waits_for_key_ = false;
  return true;
}

GstClockTime AppsrcDoor::Pts(const AccessUnit& unit) {
  if (first_ns_ == 0) first_ns_ = unit.captured_ns;
  const uint64_t zero = leader_ ? leader_->first_ns_ : first_ns_;
  const uint64_t origin = timeline_ == Timeline::kZero ? zero : gst_element_get_base_time(appsrc_);
  GstClockTime pts = unit.captured_ns > origin ? unit.captured_ns - origin : 0;
  // Never back: gst-rtsp-server 1.22 aborts the process on a backward step under TCP backlog.
  // Nor equal in RTP's 90,000 a second, or receivers take two pictures for one.
  if (GST_CLOCK_TIME_IS_VALID(last_pts_)) pts = std::max(pts, last_pts_ + kLeastStep);
  return last_pts_ = pts;
}

// A live pipeline has no clock time before it plays.
bool AppsrcDoor::IsReady() const {
  return !closed_ && (timeline_ == Timeline::kZero || gst_element_get_base_time(appsrc_) != 0);
}

// Whether the unit lies before the beginning of the file.
bool AppsrcDoor::Precedes(const AccessUnit& unit) const {
  return leader_ && (leader_->first_ns_ == 0 || unit.captured_ns < leader_->first_ns_);
}

bool AppsrcDoor::WantsGop() {
  std::lock_guard<std::mutex> lock(mutex_);
  return at_start_ && IsReady();
}

// The whole of it, however long: it is bounded by the hub, and half of it is of no use.
void AppsrcDoor::ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps* caps) {
  std::lock_guard<std::mutex> lock(mutex_);
  waits_for_key_ = false;
  for (const AccessUnit& unit : gop) Feed(unit, caps);
}

void AppsrcDoor::Consume(const AccessUnit& unit, GstCaps* caps) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || Precedes(unit)) return;
  // Its first unit must be a key frame after it began to play.
  if (!IsReady()) {
    hub_->RequestKeyFrame();
    return;
  }
  if (!Admit(unit)) {
    if (delivered_ > 0) ++dropped_;  // before the first key frame nothing is lost that was ever promised
    return;
  }
  Feed(unit, caps);
}

void AppsrcDoor::Feed(const AccessUnit& unit, GstCaps* caps) {
  if (caps && (!caps_ || !gst_caps_is_equal(caps_, caps))) {
    gst_caps_replace(&caps_, caps);
    gst_app_src_set_caps(GST_APP_SRC(appsrc_), caps_);
  }
  at_start_ = false;
  GstBuffer* copy = gst_buffer_copy(unit.buffer);  // shares the memory; only the times are ours
  GST_BUFFER_PTS(copy) = Pts(unit);
  GST_BUFFER_DTS(copy) = timeline_ == Timeline::kZero ? GST_BUFFER_PTS(copy) : GST_CLOCK_TIME_NONE;
  if (gst_app_src_push_buffer(GST_APP_SRC(appsrc_), copy) == GST_FLOW_OK) ++delivered_;
}

}  // namespace cap
