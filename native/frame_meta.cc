#include "frame_meta.h"

namespace cap {

namespace {

GType ApiType() {
  static const GType type = [] {
    static const gchar* no_tags[] = {nullptr};
    return gst_meta_api_type_register("CapFrameMetaAPI", no_tags);
  }();
  return type;
}

gboolean Init(GstMeta* meta, gpointer, GstBuffer*) {
  auto* self = reinterpret_cast<FrameMeta*>(meta);
  self->frame_number = self->monotonic_ns = self->wall_us = 0;
  self->width = self->height = 0;
  self->damage = self->canvas_damage = nullptr;
  self->sei_payload = nullptr;
  return TRUE;
}

void Free(GstMeta* meta, GstBuffer*) {
  auto* self = reinterpret_cast<FrameMeta*>(meta);
  delete self->damage;
  delete self->canvas_damage;
  g_clear_pointer(&self->sei_payload, g_bytes_unref);
}

gboolean Transform(GstBuffer* out, GstMeta* meta, GstBuffer*, GQuark, gpointer) {
  // Whatever was done to the picture, it is still that capture's.
  if (GetFrameMeta(out)) return TRUE;
  auto* from = reinterpret_cast<FrameMeta*>(meta);
  FrameMeta* to = EnsureFrameMeta(out);
  to->frame_number = from->frame_number;
  to->monotonic_ns = from->monotonic_ns;
  to->wall_us = from->wall_us;
  to->width = from->width;
  to->height = from->height;
  if (from->damage) SetRects(to->damage, *from->damage);
  if (from->canvas_damage) SetRects(to->canvas_damage, *from->canvas_damage);
  to->sei_payload = from->sei_payload ? g_bytes_ref(from->sei_payload) : nullptr;
  return TRUE;
}

const GstMetaInfo* Info() {
  static const GstMetaInfo* info =
      gst_meta_register(ApiType(), "CapFrameMeta", sizeof(FrameMeta), Init, Free, Transform);
  return info;
}

}  // namespace

FrameMeta* EnsureFrameMeta(GstBuffer* buffer) {
  if (auto* present = gst_buffer_get_meta(buffer, ApiType())) return reinterpret_cast<FrameMeta*>(present);
  return reinterpret_cast<FrameMeta*>(gst_buffer_add_meta(buffer, Info(), nullptr));
}

const FrameMeta* GetFrameMeta(GstBuffer* buffer) {
  return reinterpret_cast<const FrameMeta*>(gst_buffer_get_meta(buffer, ApiType()));
}

void SetRects(Rects*& list, Rects rects) {
  delete list;
  list = new Rects(std::move(rects));
}

}  // namespace cap
