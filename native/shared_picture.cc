#include "shared_picture.h"

#include <cstring>

namespace cap {

SharedPicture::SharedPicture(int width, int height) {
  gst_video_info_set_format(&info_, GST_VIDEO_FORMAT_I420, static_cast<guint>(width), static_cast<guint>(height));
  memory_ = NewMemory();
}

std::shared_ptr<SharedPicture::Memory> SharedPicture::NewMemory() const {
  auto memory = std::make_shared<Memory>();
  memory->data.reset(static_cast<uint8_t*>(g_malloc0(GST_VIDEO_INFO_SIZE(&info_))));
  for (int plane = 0; plane < 3; ++plane) {
    memory->view.planes[plane] = memory->data.get() + GST_VIDEO_INFO_PLANE_OFFSET(&info_, plane);
    memory->view.strides[plane] = GST_VIDEO_INFO_PLANE_STRIDE(&info_, plane);
  }
  memory->view.width = info_.width;
  memory->view.height = info_.height;
  return memory;
}

void SharedPicture::MakeWritable() {
  if (memory_.use_count() == 1) return;
  auto copy = NewMemory();
  memcpy(copy->data.get(), memory_->data.get(), GST_VIDEO_INFO_SIZE(&info_));
  memory_ = std::move(copy);
}

GstBuffer* SharedPicture::ToBuffer() const {
  return gst_buffer_new_wrapped_full(GST_MEMORY_FLAG_READONLY, memory_->data.get(), GST_VIDEO_INFO_SIZE(&info_), 0,
                                     GST_VIDEO_INFO_SIZE(&info_), new std::shared_ptr<Memory>(memory_),
                                     [](gpointer data) { delete static_cast<std::shared_ptr<Memory>*>(data); });
}

}  // namespace cap
