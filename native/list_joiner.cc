#include "list_joiner.h"

namespace cap {

namespace {

GstBuffer* Joined(GstBufferList* list) {
  GstBuffer* joined = gst_buffer_new();
  for (guint at = 0; at < gst_buffer_list_length(list); ++at) {
    gst_buffer_copy_into(joined, gst_buffer_list_get(list, at),
                         at == 0 ? static_cast<GstBufferCopyFlags>(GST_BUFFER_COPY_TIMESTAMPS | GST_BUFFER_COPY_MEMORY)
                                 : GST_BUFFER_COPY_MEMORY,
                         0, static_cast<gsize>(-1));
  }
  return joined;
}

GstPadProbeReturn OnData(GstPad*, GstPadProbeInfo* info, gpointer) {
  if (GST_PAD_PROBE_INFO_TYPE(info) & GST_PAD_PROBE_TYPE_BUFFER_LIST) {
    GstBufferList* list = gst_pad_probe_info_get_buffer_list(info);
    GstBufferList* one = gst_buffer_list_new_sized(1);
    gst_buffer_list_add(one, Joined(list));
    gst_buffer_list_unref(list);
    GST_PAD_PROBE_INFO_DATA(info) = one;
  } else {
    GstBuffer* buffer = gst_buffer_make_writable(gst_pad_probe_info_get_buffer(info));
    GST_BUFFER_FLAG_UNSET(buffer, GST_BUFFER_FLAG_HEADER);
    GST_PAD_PROBE_INFO_DATA(info) = buffer;
  }
  return GST_PAD_PROBE_OK;
}

}  // namespace

void JoinLists(GstElement* element) {
  GstPad* pad = gst_element_get_static_pad(element, "sink");
  const auto what = static_cast<GstPadProbeType>(GST_PAD_PROBE_TYPE_BUFFER | GST_PAD_PROBE_TYPE_BUFFER_LIST);
  gst_pad_add_probe(pad, what, OnData, nullptr, nullptr);
  gst_object_unref(pad);
}

}  // namespace cap
