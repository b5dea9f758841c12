#include "frame_stamper.h"

#include <time.h>

#include <optional>
#include <utility>

#include "frame_meta.h"
#include "picture_diff.h"

namespace cap {

namespace {

uint64_t ClockNs(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000000000u + static_cast<uint64_t>(now.tv_nsec);
}

struct Stamper {
  Stamper(std::shared_ptr<std::atomic<uint64_t>> counter, DamageFrom damage)
      : counter(std::move(counter)), damage(damage) {}

  const std::shared_ptr<std::atomic<uint64_t>> counter;
  const DamageFrom damage;
  int width = 0;
  int height = 0;
  std::optional<GstVideoInfo> raw;
  PictureDiff diff;
};

void OnCaps(GstPad* pad, Stamper* stamper, GstEvent* event) {
  GstCaps* caps;
  gst_event_parse_caps(event, &caps);
  const GstStructure* structure = gst_caps_get_structure(caps, 0);
  GstVideoInfo info;
  stamper->raw.reset();
  if (gst_structure_has_name(structure, "video/x-raw") && gst_video_info_from_caps(&info, caps)) stamper->raw = info;
  stamper->diff.Forget();
  int width = 0, height = 0;
  if (!gst_structure_get_int(structure, "width", &width) || !gst_structure_get_int(structure, "height", &height))
    return;
  if (width == stamper->width && height == stamper->height) return;
  stamper->width = width;
  stamper->height = height;
  GstElement* element = gst_pad_get_parent_element(pad);
  if (!element) return;
  GstStructure* message =
      gst_structure_new("cap-source-size", "width", G_TYPE_INT, width, "height", G_TYPE_INT, height, nullptr);
  gst_element_post_message(element, gst_message_new_element(GST_OBJECT(element), message));
  gst_object_unref(element);
}

void FindDamage(Stamper* stamper, GstBuffer* buffer, FrameMeta* meta) {
  if (stamper->damage == DamageFrom::kNobody || !stamper->raw) return;
  // A source that recycles its buffers leaves on them what was found when they last passed.
  if (stamper->damage == DamageFrom::kPictures) delete std::exchange(meta->damage, nullptr);
  if (meta->damage) return stamper->diff.Forget();
  if (auto changed = stamper->diff.Compare(buffer, *stamper->raw)) SetRects(meta->damage, std::move(*changed));
}

void Stamp(GstPad* pad, Stamper* stamper, GstBuffer* buffer) {
  const uint64_t now = MonotonicNs();
  uint64_t captured = now;
  GstElement* element = gst_pad_get_parent_element(pad);
  if (element && GST_BUFFER_PTS_IS_VALID(buffer)) {
    // The pipeline's clock is CLOCK_MONOTONIC, so base time + running time is the capture's time.
    const uint64_t stamped = gst_element_get_base_time(element) + GST_BUFFER_PTS(buffer);
    if (stamped <= now) captured = stamped;
  }
  if (element) gst_object_unref(element);
  FrameMeta* meta = EnsureFrameMeta(buffer);
  meta->frame_number = (*stamper->counter)++;
  meta->monotonic_ns = captured;
  meta->wall_us = WallUs() - (now - captured) / 1000;
  meta->width = static_cast<guint32>(stamper->width);
  meta->height = static_cast<guint32>(stamper->height);
  FindDamage(stamper, buffer, meta);
}

GstPadProbeReturn OnData(GstPad* pad, GstPadProbeInfo* info, gpointer data) {
  auto* stamper = static_cast<Stamper*>(data);
  if (info->type & GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM) {
    GstEvent* event = GST_PAD_PROBE_INFO_EVENT(info);
    if (GST_EVENT_TYPE(event) == GST_EVENT_CAPS) OnCaps(pad, stamper, event);
  } else {
    GstBuffer* buffer = gst_buffer_make_writable(GST_PAD_PROBE_INFO_BUFFER(info));
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
    Stamp(pad, stamper, buffer);
  }
  return GST_PAD_PROBE_OK;
}

}  // namespace

uint64_t MonotonicNs() { return ClockNs(CLOCK_MONOTONIC); }
uint64_t WallUs() { return ClockNs(CLOCK_REALTIME) / 1000; }

void AttachFrameStamper(GstElement* element, std::shared_ptr<std::atomic<uint64_t>> counter, DamageFrom damage) {
  GstPad* pad = gst_element_get_static_pad(element, "src");
  auto* stamper = new Stamper(std::move(counter), damage);
  const auto types = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_EVENT_DOWNSTREAM);
  gst_pad_add_probe(pad, types, OnData, stamper, [](gpointer data) { delete static_cast<Stamper*>(data); });
  gst_object_unref(pad);
}

}  // namespace cap
