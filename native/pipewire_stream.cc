#include "pipewire_stream.h"

#include <linux/dma-buf.h>
#include <spa/buffer/meta.h>
#include <spa/param/param.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>

#include "frame_stamper.h"

namespace cap {

namespace {

// Of pictures that were passed over; more become their bounds.
constexpr size_t kMostRects = 64;
// How long the first picture is waited for at first; each time twice as long.
constexpr uint64_t kFirstPictureNs = 100000000;
constexpr int kMostBeginnings = 5;

const spa_meta_region* FindRegion(const spa_buffer* buffer, spa_meta_type type) {
  return static_cast<const spa_meta_region*>(spa_buffer_find_meta_data(buffer, type, sizeof(spa_meta_region)));
}

Rect ToRect(const spa_region& region) {
  return {region.position.x, region.position.y, static_cast<int>(region.size.width),
          static_cast<int>(region.size.height)};
}

const spa_meta_header* HeaderOf(const spa_buffer* buffer) {
  return static_cast<const spa_meta_header*>(
      spa_buffer_find_meta_data(buffer, SPA_META_Header, sizeof(spa_meta_header)));
}

// The part of a buffer of that size that is the picture.
Rect CropOf(const spa_buffer* buffer, const PixelLayout& layout) {
  const Rect whole{0, 0, layout.width, layout.height};
  const spa_meta_region* region = FindRegion(buffer, SPA_META_VideoCrop);
  const Rect crop = region && spa_meta_region_is_valid(region) ? Intersect(ToRect(region->region), whole) : whole;
  return crop.empty() ? whole : crop;
}

Orientation OrientationOf(const spa_buffer* buffer) {
  const auto* transform = static_cast<const spa_meta_videotransform*>(
      spa_buffer_find_meta_data(buffer, SPA_META_VideoTransform, sizeof(spa_meta_videotransform)));
  return transform ? Orientation::FromTransform(static_cast<int>(transform->transform)) : Orientation();
}

// Some buffers bring news of the cursor, or nothing, instead of a picture.
bool HasPicture(const spa_buffer* buffer) {
  const spa_meta_header* header = HeaderOf(buffer);
  if (buffer->n_datas < 1 || (buffer->datas[0].chunk->flags & SPA_CHUNK_FLAG_CORRUPTED)) return false;
  // Where there is a header, some compositors leave the size of a DMA-BUF's picture at 0.
  return header ? !(header->flags & SPA_META_HEADER_FLAG_CORRUPTED) : buffer->datas[0].chunk->size > 0;
}

void Sync(int fd, uint64_t flags) {
  dma_buf_sync sync{flags | DMA_BUF_SYNC_READ};
  // What is no DMA-BUF, whatever it was called, needs none.
  ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
}

}  // namespace

// A buffer's memory in this process, for as long as the buffer exists.
struct PipewireStream::Mapping {
  void* memory = MAP_FAILED;  // of our own
  size_t size = 0;
  const uint8_t* data = nullptr;

  ~Mapping() {
    if (memory != MAP_FAILED) munmap(memory, size);
  }
};

struct PipewireStream::Events {
  static PipewireStream& From(void* data) { return *static_cast<PipewireStream*>(data); }

  static void OnState(void* data, pw_stream_state, pw_stream_state state, const char* error) {
    if (state == PW_STREAM_STATE_ERROR) From(data).Lose(error ? error : "PipeWire ended the stream");
    if (state == PW_STREAM_STATE_UNCONNECTED) From(data).Lose("PipeWire ended the stream");
  }

  static void OnParam(void* data, uint32_t id, const spa_pod* pod) {
    if (id == SPA_PARAM_Format && pod) From(data).SetFormat(pod);
  }

  static void OnAddBuffer(void* data, pw_buffer* buffer) { From(data).Map(buffer); }

  static void OnRemoveBuffer(void* data, pw_buffer* buffer) {
    PipewireStream& self = From(data);
    if (self.held_ == buffer) {
      // What replaces it says nothing about it.
      self.held_ = nullptr;
      self.damage_.reset();
    }
    delete static_cast<Mapping*>(buffer->user_data);
    buffer->user_data = nullptr;
  }

  static void OnProcess(void* data) {
    From(data).TakeAll();
    From(data).connection_.Signal();
  }

  static const pw_stream_events* Table() {
    static const pw_stream_events events = [] {
      pw_stream_events all{};
      all.version = PW_VERSION_STREAM_EVENTS;
      all.state_changed = OnState;
      all.param_changed = OnParam;
      all.add_buffer = OnAddBuffer;
      all.remove_buffer = OnRemoveBuffer;
      all.process = OnProcess;
      return all;
    }();
    return &events;
  }
};

PipewireStream::PipewireStream(PipewireConnection& connection, uint32_t node, int max_fps)
    : connection_(connection), max_fps_(max_fps) {
  pw_properties* properties = pw_properties_new(PW_KEY_MEDIA_TYPE, "Video", PW_KEY_MEDIA_CATEGORY, "Capture",
                                                PW_KEY_MEDIA_ROLE, "Screen", nullptr);
  stream_ = pw_stream_new(connection.core(), "cap", properties);
  if (!stream_) {
    Lose("PipeWire makes no stream");
    return;
  }
  pw_stream_add_listener(stream_, &hook_, Events::Table(), this);
  PipewireParams params = PipewireParams::Formats(max_fps_, dmabuf_);
  const auto flags = static_cast<pw_stream_flags>(PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_DONT_RECONNECT);
  if (pw_stream_connect(stream_, PW_DIRECTION_INPUT, node, flags, params.data(), params.size()) < 0) {
    Lose("PipeWire does not connect the stream");
  }
}

PipewireStream::~PipewireStream() {
  if (!stream_) return;
  pw_stream_destroy(stream_);
}

void PipewireStream::Lose(std::string why) {
  if (lost_.empty()) lost_ = std::move(why);
  connection_.Signal();
}

void PipewireStream::SetFormat(const spa_pod* pod) {
  format_ = PipewireFormat::Parse(pod);
  damage_.reset();
  blank_since_ns_ = MonotonicNs();
  begun_again_ = 0;
  if (!format_) return Lose("PipeWire chose a format that cannot be read");
  PipewireParams params = PipewireParams::Buffers(format_->dmabuf);
  pw_stream_update_params(stream_, params.data(), params.size());
  connection_.Signal();
}

void PipewireStream::Map(pw_buffer* buffer) {
  auto mapping = std::make_unique<Mapping>();
  const spa_data& data = buffer->buffer->datas[0];
  if (data.type == SPA_DATA_MemPtr) {
    mapping->data = static_cast<const uint8_t*>(data.data);
    mapping->size = data.maxsize;
  } else {
    const int fd = static_cast<int>(data.fd);
    // Compositors do not agree on what a DMA-BUF's size is called.
    const off_t end = data.type == SPA_DATA_DmaBuf ? lseek(fd, 0, SEEK_END) : off_t{data.mapoffset} + data.maxsize;
    mapping->size = end > 0 ? static_cast<size_t>(end) : 0;
    mapping->memory = mmap(nullptr, mapping->size, PROT_READ, MAP_SHARED, fd, 0);
    if (mapping->memory != MAP_FAILED) mapping->data = static_cast<const uint8_t*>(mapping->memory) + data.mapoffset;
  }
  buffer->user_data = mapping.release();
}

void PipewireStream::TakeAll() {
  if (frozen_) return;
  while (pw_buffer* buffer = pw_stream_dequeue_buffer(stream_)) Take(buffer);
}

void PipewireStream::Rest() {
  resting_ = true;
  Done();
  pw_stream_set_active(stream_, false);
}

void PipewireStream::Resume() {
  if (!resting_) return;
  resting_ = false;
  Done();
  damage_.reset();
  blank_since_ns_ = MonotonicNs();
  begun_again_ = 0;
  pw_stream_set_active(stream_, true);
}

uint64_t PipewireStream::BeginAgain() {
  if (blank_since_ns_ == 0 || begun_again_ == kMostBeginnings) return UINT64_MAX;
  if (MonotonicNs() >= blank_since_ns_ + (kFirstPictureNs << begun_again_)) {
    ++begun_again_;
    pw_stream_set_active(stream_, false);
    pw_stream_set_active(stream_, true);
  }
  return blank_since_ns_ + (kFirstPictureNs << begun_again_);
}

bool PipewireStream::Hold() { return frozen_ = held_ != nullptr; }

// Makes it the newest picture. What it replaces is given back, but what changed in that is remembered.
void PipewireStream::Take(pw_buffer* buffer) {
  const spa_buffer* spa = buffer->buffer;
  const spa_meta_header* header = HeaderOf(spa);
  const uint64_t sequence = header ? header->seq : 0;
  // One that was lost on the way took what it knew along.
  if (sequence != 0 && sequence_ != 0 && sequence != sequence_ + 1) damage_.reset();
  sequence_ = sequence;
  if (!format_ || !HasPicture(spa)) {
    pw_stream_queue_buffer(stream_, buffer);
    return;
  }
  if (held_) pw_stream_queue_buffer(stream_, held_);
  held_ = buffer;
  blank_since_ns_ = 0;
  presented_ns_ = header && header->pts > 0 ? static_cast<uint64_t>(header->pts) : 0;

  const spa_chunk& chunk = *spa->datas[0].chunk;
  const int pixel_bytes = BytesPerPixel(format_->layout.format);
  const Rect crop = CropOf(spa, format_->layout);
  const int stride = chunk.stride > 0 ? chunk.stride : format_->layout.width * pixel_bytes;
  const size_t offset = chunk.offset + static_cast<size_t>(crop.y) * static_cast<size_t>(stride) +
                        static_cast<size_t>(crop.x) * static_cast<size_t>(pixel_bytes);
  const PixelLayout layout{crop.width, crop.height, stride, format_->layout.format};
  const Orientation orientation = OrientationOf(spa);
  if (!(layout == layout_ && orientation == orientation_ && offset == offset_)) damage_.reset();
  layout_ = layout;
  orientation_ = orientation;
  offset_ = offset;
  TakeDamage(spa, crop);
}

void PipewireStream::TakeDamage(const spa_buffer* buffer, const Rect& crop) {
  if (!damage_) return;
  const spa_meta* meta = spa_buffer_find_meta(buffer, SPA_META_VideoDamage);
  const auto* region = meta ? static_cast<const spa_meta_region*>(spa_meta_first(meta)) : nullptr;
  // A list without any says that nobody knows, as it is a new picture.
  if (!region || !spa_meta_check(region, meta) || !spa_meta_region_is_valid(region)) return damage_.reset();
  for (; spa_meta_check(region, meta) && spa_meta_region_is_valid(region); ++region) {
    const Rect inside = Intersect(ToRect(region->region), crop);
    if (!inside.empty()) damage_->push_back({inside.x - crop.x, inside.y - crop.y, inside.width, inside.height});
  }
  if (damage_->size() > kMostRects) damage_ = Simplify(std::move(*damage_), 1);
}

const uint8_t* PipewireStream::Begin() {
  if (!held_) return nullptr;
  const auto* mapping = static_cast<const Mapping*>(held_->user_data);
  const spa_data& data = held_->buffer->datas[0];
  const size_t row = static_cast<size_t>(layout_.width) * static_cast<size_t>(BytesPerPixel(layout_.format));
  const size_t end = offset_ + static_cast<size_t>(layout_.stride) * static_cast<size_t>(layout_.height - 1) + row;
  if (mapping->data && data.mapoffset + end <= mapping->size) {
    if (data.type == SPA_DATA_DmaBuf) Sync(static_cast<int>(data.fd), DMA_BUF_SYNC_START);
    reading_ = true;
    return mapping->data + offset_;
  }
  if (data.type == SPA_DATA_DmaBuf && dmabuf_) {
    // Not every driver lets the processor read its memory.
    dmabuf_ = false;
    PipewireParams params = PipewireParams::Formats(max_fps_, false);
    pw_stream_update_params(stream_, params.data(), params.size());
  } else {
    Lose("PipeWire's buffers cannot be read");
  }
  return nullptr;
}

void PipewireStream::Done() {
  if (held_) {
    const spa_data& data = held_->buffer->datas[0];
    if (reading_ && data.type == SPA_DATA_DmaBuf) Sync(static_cast<int>(data.fd), DMA_BUF_SYNC_END);
    pw_stream_queue_buffer(stream_, held_);
    held_ = nullptr;
    // After a picture that was not read, what changes next says too little.
    damage_ = reading_ ? std::optional<Rects>(Rects{}) : std::nullopt;
  }
  frozen_ = reading_ = false;
  // What came meanwhile.
  TakeAll();
  if (held_) connection_.Signal();
}

}  // namespace cap
