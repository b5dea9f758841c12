#include "redaction.h"

#include <libyuv.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "frame_stamper.h"

namespace cap {

namespace {

// More rectangles than these in a frame's damage cost more than they save.
constexpr size_t kMaxDamage = 16;
constexpr int kBlackLuma = 16;
// Above and below what changed, so that a line is read whole of which a part did.
constexpr int kMarginPx = 64;
constexpr int kCellPx = 8;

uint64_t NowMs() { return MonotonicNs() / 1000000; }

void Blacken(const I420& picture, const Rect& rect) {
  libyuv::I420Rect(picture.planes[0], picture.strides[0], picture.planes[1], picture.strides[1], picture.planes[2],
                   picture.strides[2], rect.x, rect.y, rect.width, rect.height, kBlackLuma, 128, 128);
}

void Copy(const I420& from, const I420& to) {
  libyuv::I420Copy(from.planes[0], from.strides[0], from.planes[1], from.strides[1], from.planes[2], from.strides[2],
                   to.planes[0], to.strides[0], to.planes[1], to.strides[1], to.planes[2], to.strides[2], to.width,
                   to.height);
}

}  // namespace

void Redaction::Configure(RedactionOptions options, std::function<void()> on_unread) {
  std::lock_guard<std::mutex> lock(mutex_);
  options_ = std::move(options);
  on_unread_ = std::move(on_unread);
  grid_.reset();
}

void Redaction::Close() {
  std::lock_guard<std::mutex> lock(mutex_);
  on_unread_ = nullptr;
  failed_ = true;
}

void Redaction::Forget() {
  std::lock_guard<std::mutex> lock(mutex_);
  grid_.reset();
  published_.reset();
  // While nothing is captured its events would pile up.
  windows_.reset();
  band_.reset();
  unread_.reset();
}

GstBuffer* Redaction::Publish(GstVideoFrame* in, const Rects* damage, Rects& changed) {
  const Rect whole{0, 0, GST_VIDEO_FRAME_WIDTH(in), GST_VIDEO_FRAME_HEIGHT(in)};
  std::lock_guard<std::mutex> lock(mutex_);
  const bool fresh =
      !grid_ || !published_ || published_->view().width != whole.width || published_->view().height != whole.height;
  const bool reads = options_ && options_->reads;
  if (fresh) {
    band_.reset();
    unread_.reset();
    grid_.emplace(whole.width, whole.height, reads);
    published_ = std::make_unique<SharedPicture>(whole.width, whole.height);
    Blacken(published_->view(), whole);
    grid_->Mask(RedactionGrid::kRegion, options_ ? options_->regions : Rects{whole});
  }
  const uint64_t now_ms = NowMs();
  grid_->Change(damage && !fresh ? *damage : Rects{whole}, ++frame_, now_ms);
  if (options_ && !options_->windows.patterns.empty()) MaskWindows();
  const bool strict = options_ && options_->strict;
  const Unread unread = strict ? Unread::kKept : failed_ ? Unread::kHidden : Unread::kShown;
  changed = Draw(grid_->Publish(unread, now_ms, options_ ? options_->shown_unread_ms : 0), in);
  if (fresh) changed = {whole};
  if (reads) PrepareRead(in);
  return published_->ToBuffer();
}

// After the frame's damage: where a window has been stays masked until a later frame has captured it anew.
void Redaction::MaskWindows() {
  if (!windows_) windows_ = WindowMasks::Open(options_->windows);
  Rects rects;
  if (!windows_ || !windows_->Update(rects)) {
    // Nobody knows where they are.
    windows_.reset();
    grid_->MoveWindows({{0, 0, published_->view().width, published_->view().height}});
    return;
  }
  const Rects left = grid_->MoveWindows(rects);
  if (!left.empty()) windows_->CaptureAnew(left);
}

Rects Redaction::Draw(const RedactionGrid::Changes& changes, GstVideoFrame* in) {
  if (changes.copied.empty() && changes.blackened.empty()) return {};
  published_->MakeWritable();
  const I420 source = ViewOf(in);
  for (const Rect& rect : changes.copied) Copy(source.Crop(rect), published_->view().Crop(rect));
  for (const Rect& rect : changes.blackened) Blacken(published_->view(), rect);
  Rects all = changes.copied;
  all.insert(all.end(), changes.blackened.begin(), changes.blackened.end());
  return Simplify(std::move(all), kMaxDamage);
}

void Redaction::PrepareRead(GstVideoFrame* in) {
  if (band_ || !on_unread_) return;
  band_ = grid_->NextBand(frame_, NowMs());
  if (!band_) return;
  const I420 source = ViewOf(in);
  const int top = std::max(0, band_->first_row * kCellPx - kMarginPx);
  const int bottom = std::min(source.height, (band_->last_row + 1) * kCellPx + kMarginPx);
  UnreadPicture picture;
  picture.place = FromCorners(0, top, source.width, bottom);
  const size_t row = static_cast<size_t>(source.width);
  picture.luma.reset(new uint8_t[row * static_cast<size_t>(bottom - top)]);
  for (int y = top; y < bottom; ++y) {
    memcpy(&picture.luma[static_cast<size_t>(y - top) * row],
           source.planes[0] + static_cast<ptrdiff_t>(y) * source.strides[0], row);
  }
  unread_ = std::move(picture);
  on_unread_();
}

std::optional<UnreadPicture> Redaction::Take() {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::exchange(unread_, std::nullopt);
}

void Redaction::Settle(const Rects& matched) {
  std::lock_guard<std::mutex> lock(mutex_);
  // Of another size by now, or the pipeline has been stopped.
  if (!grid_ || !band_ || unread_) return;
  grid_->Settle(*band_, matched);
  band_.reset();
  failed_ = false;
}

void Redaction::Fail() {
  std::lock_guard<std::mutex> lock(mutex_);
  failed_ = true;
  if (!unread_) band_.reset();
}

RedactionStats Redaction::stats() const {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!grid_) return {};
  return {grid_->MaskedCells(), grid_->UnreadCells()};
}

}  // namespace cap
