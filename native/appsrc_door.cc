#include "appsrc_door.h"

namespace cap {

AppsrcDoor::AppsrcDoor(std::shared_ptr<HubCore> hub, GstElement* appsrc, unsigned max_units, Timeline timeline)
    : hub_(std::move(hub)), appsrc_(GST_ELEMENT(gst_object_ref(appsrc))), max_units_(max_units), timeline_(timeline) {
  // The door bounds the queue itself, so appsrc must neither block nor refuse.
  g_object_set(appsrc_, "format", GST_FORMAT_TIME, "block", FALSE, "max-bytes", guint64{0}, "max-buffers", guint64{0},
               "max-time", guint64{0}, "do-timestamp", FALSE, nullptr);
  gst_app_src_set_stream_type(GST_APP_SRC(appsrc_), GST_APP_STREAM_TYPE_STREAM);
}

AppsrcDoor::~AppsrcDoor() {
  if (caps_) gst_caps_unref(caps_);
  gst_object_unref(appsrc_);
}

void AppsrcDoor::SetPaused(bool paused) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (paused_ == paused) return;
    paused_ = paused;
    waits_for_key_ = true;
  }
  if (!paused) hub_->RequestKeyFrame();
}

void AppsrcDoor::Close() {
  hub_->Remove(shared_from_this());
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
  const guint64 waiting = gst_app_src_get_current_level_buffers(GST_APP_SRC(appsrc_));
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
  const uint64_t origin = timeline_ == Timeline::kZero ? first_ns_ : gst_element_get_base_time(appsrc_);
  GstClockTime pts = unit.captured_ns > origin ? unit.captured_ns - origin : 0;
  // Never back: gst-rtsp-server 1.22 aborts the process on a backward step under TCP backlog.
  if (GST_CLOCK_TIME_IS_VALID(last_pts_) && pts <= last_pts_) pts = last_pts_ + 1;
  return last_pts_ = pts;
}

void AppsrcDoor::Consume(const AccessUnit& unit, GstCaps* caps) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (closed_ || paused_) return;
  // A live pipeline has no clock time before it plays; its first unit must be a key frame after that.
  if (timeline_ == Timeline::kClock && gst_element_get_base_time(appsrc_) == 0) {
    hub_->RequestKeyFrame();
    return;
  }
  if (!Admit(unit)) {
    if (delivered_ > 0) ++dropped_;  // before the first key frame nothing is lost that was ever promised
    return;
  }
  if (caps && (!caps_ || !gst_caps_is_equal(caps_, caps))) {
    gst_caps_replace(&caps_, caps);
    gst_app_src_set_caps(GST_APP_SRC(appsrc_), caps_);
  }
  GstBuffer* copy = gst_buffer_copy(unit.buffer);  // shares the memory; only the times are ours
  GST_BUFFER_PTS(copy) = Pts(unit);
  GST_BUFFER_DTS(copy) = timeline_ == Timeline::kZero ? GST_BUFFER_PTS(copy) : GST_CLOCK_TIME_NONE;
  if (gst_app_src_push_buffer(GST_APP_SRC(appsrc_), copy) == GST_FLOW_OK) ++delivered_;
}

}  // namespace cap
