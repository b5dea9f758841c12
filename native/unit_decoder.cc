#include "unit_decoder.h"

#include "frame_meta.h"

namespace cap {

namespace {

GstElement* MakeDecoder() {
  if (GstElement* libav = gst_element_factory_make("avdec_h264", nullptr)) {
    // Frame threads would each hold a picture back.
    g_object_set(libav, "max-threads", 1, "output-corrupt", FALSE, nullptr);
    return libav;
  }
  return gst_element_factory_make("openh264dec", nullptr);
}

void Link(GstPad* pad, GstElement* element, const char* name) {
  GstPad* other = gst_element_get_static_pad(element, name);
  if (GST_PAD_IS_SRC(pad)) {
    gst_pad_link(pad, other);
  } else {
    gst_pad_link(other, pad);
  }
  gst_object_unref(other);
}

}  // namespace

UnitDecoder::UnitDecoder()
    : decoder_(MakeDecoder()), in_(gst_pad_new("in", GST_PAD_SRC)), out_(gst_pad_new("out", GST_PAD_SINK)) {
  gst_object_ref_sink(in_);
  gst_object_ref_sink(out_);
  if (!decoder_) return;
  gst_object_ref_sink(decoder_);
  gst_pad_set_element_private(out_, this);
  gst_pad_set_chain_function(out_, OnPicture);
  Link(in_, decoder_, "sink");
  Link(out_, decoder_, "src");
  gst_pad_set_active(out_, TRUE);
  gst_pad_set_active(in_, TRUE);
  gst_element_set_state(decoder_, GST_STATE_PLAYING);
  gst_pad_push_event(in_, gst_event_new_stream_start("still"));
}

UnitDecoder::~UnitDecoder() {
  if (decoder_) {
    gst_element_set_state(decoder_, GST_STATE_NULL);
    gst_pad_set_active(in_, FALSE);
    gst_pad_set_active(out_, FALSE);
    gst_object_unref(decoder_);
  }
  gst_object_unref(in_);
  gst_object_unref(out_);
}

GstFlowReturn UnitDecoder::OnPicture(GstPad* pad, GstObject*, GstBuffer* buffer) {
  auto* self = static_cast<UnitDecoder*>(gst_pad_get_element_private(pad));
  const FrameMeta* meta = GetFrameMeta(buffer);
  if (meta && meta->frame_number == self->wanted_) {
    GstCaps* caps = gst_pad_get_current_caps(pad);
    self->picture_ = {gst_sample_new(buffer, caps, nullptr, nullptr), gst_sample_unref};
    gst_clear_caps(&caps);
  }
  gst_buffer_unref(buffer);
  return GST_FLOW_OK;
}

// A decoder that was drained, or that has seen anything else, starts afresh.
void UnitDecoder::Begin() {
  position_ = 0;
  picture_.reset();
  gst_pad_push_event(in_, gst_event_new_flush_start());
  gst_pad_push_event(in_, gst_event_new_flush_stop(TRUE));
  caps_.reset();
}

void UnitDecoder::Push(const KeptUnit& unit) {
  if (unit.caps != caps_) {
    const bool is_first = !caps_;
    caps_ = unit.caps;
    gst_pad_push_event(in_, gst_event_new_caps(caps_.get()));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    if (is_first) gst_pad_push_event(in_, gst_event_new_segment(&segment));
  }
  GstBuffer* copy = gst_buffer_copy(unit.buffer.get());  // shares the memory; only the times are ours
  GST_BUFFER_PTS(copy) = GST_BUFFER_DTS(copy) = GST_BUFFER_DURATION(copy) = GST_CLOCK_TIME_NONE;
  EnsureFrameMeta(copy)->frame_number = unit.number;  // the decoder hands it on to the picture it makes
  gst_pad_push(in_, copy);
}

// A stream that may show its pictures in another order than they are coded in makes the decoder hold some back.
void UnitDecoder::Drain() { gst_pad_push_event(in_, gst_event_new_segment_done(GST_FORMAT_TIME, -1)); }

std::shared_ptr<GstSample> UnitDecoder::Decode(const std::vector<KeptUnit>& units) {
  if (position_ == 0 || units.front().number != position_ + 1) Begin();
  wanted_ = units.back().number;
  picture_.reset();
  for (const KeptUnit& unit : units) Push(unit);
  if (picture_) {
    position_ = wanted_;
  } else {
    Drain();
    position_ = 0;
  }
  return picture_;
}

}  // namespace cap
