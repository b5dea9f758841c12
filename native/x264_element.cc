#include "x264_element.h"

#include <gst/video/gstvideoencoder.h>
#include <gst/video/video.h>
#include <stdint.h>
#include <x264.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bitrate_guard.h"
#include "frame_meta.h"

namespace cap {

namespace {

constexpr int kMacroblock = 16;
constexpr int kMaxQuantizer = 51;
constexpr float kLargestFactor = 10;  // between the quantizers of frame types
constexpr int kQuantizerReach = 19;   // 6 * log2(10), rounded down
// Above this share of changed macroblocks the information costs more than it saves.
constexpr double kMostChanged = 0.5;

struct X264 {
  GstVideoEncoder parent;
  gchar* speed_preset;
  gint quality;
  gboolean constant_quantizer;
  guint key_int_max;
  guint max_bitrate_kbps;  // may change while frames are coded with a constant quantizer
  GstVideoCodecState* input_state;
  x264_t* encoder;
  gboolean frame_coded;  // the macroblocks' state is that of the frame coded before
  BitrateGuard* guard;   // with a constant quantizer
};

struct X264Class {
  GstVideoEncoderClass parent_class;
};

enum { kPropSpeed = 1, kPropCrf, kPropQuantizer, kPropKeyIntMax, kPropMaxBitrate };

G_DEFINE_TYPE(X264, x264, GST_TYPE_VIDEO_ENCODER)

void CloseEncoder(X264* self) {
  if (self->encoder) x264_encoder_close(self->encoder);
  self->encoder = nullptr;
  self->frame_coded = FALSE;
  delete self->guard;
  self->guard = nullptr;
}

void LogToGst(void* object, int level, const char* format, va_list args) {
  const GstDebugLevel to = level <= X264_LOG_ERROR     ? GST_LEVEL_ERROR
                           : level == X264_LOG_WARNING ? GST_LEVEL_WARNING
                                                       : GST_LEVEL_INFO;
  gst_debug_log_valist(GST_CAT_DEFAULT, to, __FILE__, __func__, __LINE__, static_cast<GObject*>(object), format, args);
}

// CRF makes x264 estimate the cost of every whole frame, about a third of its work on a screen where
// little changes; a constant quantizer needs no such estimate, and gives a screen the same quality.
void SetRateControl(X264* self, x264_param_t& param) {
  if (self->constant_quantizer) {
    param.rc.i_rc_method = X264_RC_CQP;
    // Each frame's quantizer is forced, yet x264 clips it to those of its frame types. By factors of 10, the largest
    // that it takes, they lie 19 below and above the constant one; 0 would be its lossless mode.
    const bool lossless = self->quality == 0;
    param.rc.i_qp_constant =
        lossless ? 0 : std::clamp(kMaxQuantizer - kQuantizerReach, self->quality, self->quality + kQuantizerReach);
    param.rc.f_ip_factor = param.rc.f_pb_factor = kLargestFactor;
    self->guard = new BitrateGuard(g_atomic_int_get(&self->max_bitrate_kbps));
    return;
  }
  param.rc.i_rc_method = X264_RC_CRF;
  param.rc.f_rf_constant = static_cast<float>(self->quality);
  param.rc.i_vbv_max_bitrate = static_cast<int>(self->max_bitrate_kbps);
  param.rc.i_vbv_buffer_size = static_cast<int>(self->max_bitrate_kbps);  // one second
}

gboolean OpenEncoder(X264* self, const GstVideoInfo& info) {
  x264_param_t param;
  if (x264_param_default_preset(&param, self->speed_preset, "zerolatency") < 0) return FALSE;
  param.pf_log = LogToGst;
  param.p_log_private = self;
  param.i_csp = X264_CSP_I420;
  param.i_width = info.width;
  param.i_height = info.height;
  param.i_fps_num = info.fps_n > 0 ? static_cast<uint32_t>(info.fps_n) : 30;
  param.i_fps_den = info.fps_n > 0 ? static_cast<uint32_t>(info.fps_d) : 1;
  param.b_vfr_input = 0;
  param.i_keyint_max = static_cast<int>(self->key_int_max);
  param.i_scenecut_threshold = 0;  // key frames come when asked for
  SetRateControl(self, param);
  param.analyse.b_mb_info = 1;
  param.b_repeat_headers = 1;
  param.b_annexb = 1;
  param.b_aud = 1;
  // The conversion from RGB is BT.601 in limited range (capcompose says so in its caps too).
  param.vui.b_fullrange = 0;
  param.vui.i_colmatrix = 6;
  param.vui.i_colorprim = 6;
  param.vui.i_transfer = 6;
  self->encoder = x264_encoder_open(&param);
  return self->encoder != nullptr;
}

gboolean SetFormat(GstVideoEncoder* base, GstVideoCodecState* state) {
  auto* self = reinterpret_cast<X264*>(base);
  CloseEncoder(self);
  if (self->input_state) gst_video_codec_state_unref(self->input_state);
  self->input_state = gst_video_codec_state_ref(state);
  if (!OpenEncoder(self, state->info)) return FALSE;
  GstCaps* caps = gst_caps_new_simple("video/x-h264", "stream-format", G_TYPE_STRING, "byte-stream", "alignment",
                                      G_TYPE_STRING, "au", nullptr);
  gst_video_codec_state_unref(gst_video_encoder_set_output_state(base, caps, state));
  return gst_video_encoder_negotiate(base);
}

// One flag a macroblock: set where no damage lies. Null when it would not pay, or is not known.
uint8_t* MacroblockInfo(const FrameMeta* meta, int width, int height) {
  if (!meta || !meta->canvas_damage) return nullptr;
  const int columns = (width + kMacroblock - 1) / kMacroblock, rows = (height + kMacroblock - 1) / kMacroblock;
  const size_t count = static_cast<size_t>(columns) * static_cast<size_t>(rows);
  auto* info = static_cast<uint8_t*>(malloc(count));
  if (!info) return nullptr;
  memset(info, X264_MBINFO_CONSTANT, count);
  for (const Rect& rect : *meta->canvas_damage) {
    const int right = std::min(columns, (rect.right() + kMacroblock - 1) / kMacroblock);
    const int bottom = std::min(rows, (rect.bottom() + kMacroblock - 1) / kMacroblock);
    const int left = std::max(0, rect.x / kMacroblock);
    for (int row = std::max(0, rect.y / kMacroblock); row < bottom && left < right; ++row) {
      memset(info + static_cast<ptrdiff_t>(row) * columns + left, 0, static_cast<size_t>(right - left));
    }
  }
  const auto changed = std::count(info, info + count, 0);
  if (static_cast<double>(changed) <= kMostChanged * static_cast<double>(count)) return info;
  free(info);
  return nullptr;
}

GstFlowReturn HandleFrame(GstVideoEncoder* base, GstVideoCodecFrame* frame) {
  auto* self = reinterpret_cast<X264*>(base);
  const GstVideoInfo& info = self->input_state->info;
  GstVideoFrame picture;
  if (!gst_video_frame_map(&picture, &info, frame->input_buffer, GST_MAP_READ)) {
    gst_video_encoder_finish_frame(base, frame);
    return GST_FLOW_ERROR;
  }
  x264_picture_t in, out;
  x264_picture_init(&in);
  in.img.i_csp = X264_CSP_I420;
  in.img.i_plane = 3;
  for (int plane = 0; plane < 3; ++plane) {
    in.img.plane[plane] = static_cast<uint8_t*>(GST_VIDEO_FRAME_PLANE_DATA(&picture, plane));
    in.img.i_stride[plane] = GST_VIDEO_FRAME_PLANE_STRIDE(&picture, plane);
  }
  in.i_pts = static_cast<int64_t>(frame->system_frame_number);
  const bool key = GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame);
  in.i_type = key ? X264_TYPE_IDR : X264_TYPE_AUTO;
  if (self->guard) {
    self->guard->SetBitrate(g_atomic_int_get(&self->max_bitrate_kbps));
    const int extra = self->guard->ExtraQuantizer(frame->pts);
    in.i_qpplus1 = std::min(self->quality + extra, kMaxQuantizer) + 1;
  }
  if (self->frame_coded && !key) {
    in.prop.mb_info = MacroblockInfo(GetFrameMeta(frame->input_buffer), info.width, info.height);
    in.prop.mb_info_free = free;
  }
  x264_nal_t* nals;
  int nal_count;
  const int size = x264_encoder_encode(self->encoder, &nals, &nal_count, &in, &out);
  gst_video_frame_unmap(&picture);
  self->frame_coded = size > 0;
  if (size <= 0) {
    GST_ELEMENT_ERROR(self, STREAM, ENCODE, (nullptr), ("x264_encoder_encode gave %d", size));
    gst_video_encoder_finish_frame(base, frame);
    return GST_FLOW_ERROR;
  }
  if (self->guard) self->guard->Spent(static_cast<size_t>(size));
  // The NAL units lie one after the other.
  frame->output_buffer = gst_video_encoder_allocate_output_buffer(base, static_cast<gsize>(size));
  gst_buffer_fill(frame->output_buffer, 0, nals[0].p_payload, static_cast<gsize>(size));
  if (out.b_keyframe) GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
  frame->dts = frame->pts;
  return gst_video_encoder_finish_frame(base, frame);
}

gboolean Stop(GstVideoEncoder* base) {
  auto* self = reinterpret_cast<X264*>(base);
  CloseEncoder(self);
  if (self->input_state) gst_video_codec_state_unref(self->input_state);
  self->input_state = nullptr;
  return TRUE;
}

gboolean ProposeAllocation(GstVideoEncoder* base, GstQuery* query) {
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  return GST_VIDEO_ENCODER_CLASS(x264_parent_class)->propose_allocation(base, query);
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec*) {
  auto* self = reinterpret_cast<X264*>(object);
  if (id == kPropSpeed) {
    g_free(self->speed_preset);
    self->speed_preset = g_value_dup_string(value);
  }
  if (id == kPropCrf || id == kPropQuantizer) {
    self->quality = g_value_get_int(value);
    self->constant_quantizer = id == kPropQuantizer;
  }
  if (id == kPropKeyIntMax) self->key_int_max = g_value_get_uint(value);
  if (id == kPropMaxBitrate) g_atomic_int_set(&self->max_bitrate_kbps, g_value_get_uint(value));
}

void Finalize(GObject* object) {
  g_free(reinterpret_cast<X264*>(object)->speed_preset);
  G_OBJECT_CLASS(x264_parent_class)->finalize(object);
}

void x264_class_init(X264Class* klass) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = SetProperty;
  object->finalize = Finalize;
  const auto flags = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  g_object_class_install_property(object, kPropSpeed,
                                  g_param_spec_string("speed-preset", "", "x264 preset", "ultrafast", flags));
  g_object_class_install_property(object, kPropCrf,
                                  g_param_spec_int("crf", "", "Constant rate factor", 0, 51, 20, flags));
  g_object_class_install_property(object, kPropQuantizer,
                                  g_param_spec_int("quantizer", "", "Constant quantizer, instead", 0, 51, 20, flags));
  g_object_class_install_property(
      object, kPropKeyIntMax, g_param_spec_uint("key-int-max", "", "Most frames of a GOP", 1, G_MAXINT, 300, flags));
  g_object_class_install_property(
      object, kPropMaxBitrate,
      g_param_spec_uint("max-bitrate", "", "Most kbit/s, over one second", 1, 1000000, 50000, flags));
  auto* element = GST_ELEMENT_CLASS(klass);
  gst_element_class_add_pad_template(element, gst_pad_template_new("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                                                                   gst_caps_from_string(GST_VIDEO_CAPS_MAKE("I420"))));
  gst_element_class_add_pad_template(
      element, gst_pad_template_new("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                                    gst_caps_from_string("video/x-h264, stream-format=byte-stream, alignment=au")));
  gst_element_class_set_static_metadata(element, "cap x264", "Codec/Encoder/Video",
                                        "H.264 by libx264, told what did not change", "cap-gateway");
  auto* encoder = GST_VIDEO_ENCODER_CLASS(klass);
  encoder->set_format = SetFormat;
  encoder->handle_frame = HandleFrame;
  encoder->stop = Stop;
  encoder->propose_allocation = ProposeAllocation;
}

void x264_init(X264* self) {
  self->speed_preset = g_strdup("ultrafast");
  self->quality = 20;
  self->constant_quantizer = TRUE;
  self->key_int_max = 300;
  self->max_bitrate_kbps = 50000;
}

}  // namespace

void RegisterX264Element() { gst_element_register(nullptr, "capx264enc", GST_RANK_NONE, x264_get_type()); }

}  // namespace cap
