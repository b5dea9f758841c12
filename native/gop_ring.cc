#include "gop_ring.h"

#include <algorithm>
#include <iterator>

namespace cap {

namespace {

// At 60 fps twenty seconds are 1200.
constexpr size_t kMostUnits = 4000;

// A copy of its own: the encoder may have few buffers, and wants them back.
std::shared_ptr<GstBuffer> CopyOf(GstBuffer* buffer) { return {gst_buffer_copy_deep(buffer), gst_buffer_unref}; }

}  // namespace

AccessUnit UnitOf(const KeptUnit& kept) {
  GstBuffer* buffer = kept.buffer.get();
  return {buffer, kept.captured_ns, !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT)};
}

GopRing::GopRing(std::shared_ptr<HubCore> hub, uint64_t span_ns, size_t most_bytes, std::function<void()> on_unit)
    : hub_(std::move(hub)), span_ns_(span_ns), most_bytes_(most_bytes), on_unit_(std::move(on_unit)) {}

void GopRing::Consume(const AccessUnit& unit, GstCaps* caps) {
  bool wants_key = false;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const bool was_empty = gops_.empty();
    Keep(unit, caps);
    // A GOP that will not end before it is too large would be lost, and every later still with it.
    wants_key = was_empty ? gops_.empty() : gops_.size() == 1 && bytes_ > most_bytes_ / 2;
  }
  if (wants_key) hub_->RequestKeyFrame();
  on_unit_();
}

bool GopRing::WantsGop() {
  std::lock_guard<std::mutex> lock(mutex_);
  return gops_.empty();
}

void GopRing::ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps* caps) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const AccessUnit& unit : gop) Keep(unit, caps);
  }
  on_unit_();
}

void GopRing::Keep(const AccessUnit& unit, GstCaps* caps) {
  if (unit.key) {
    gops_.emplace_back();
  } else if (gops_.empty()) {
    return;
  }
  if (caps && (!caps_ || !gst_caps_is_equal(caps_.get(), caps))) caps_ = {gst_caps_ref(caps), gst_caps_unref};
  gops_.back().push_back({CopyOf(unit.buffer), caps_, ++kept_, unit.captured_ns});
  ++units_;
  bytes_ += gst_buffer_get_size(unit.buffer);
  Trim();
}

// Of the GOPs that begin before the span only the last is needed.
void GopRing::Trim() {
  const uint64_t newest_ns = gops_.back().back().captured_ns;
  const auto too_old = [&] { return gops_.size() > 1 && gops_[1].front().captured_ns + span_ns_ <= newest_ns; };
  while (!gops_.empty() && (too_old() || units_ > kMostUnits || bytes_ > most_bytes_)) {
    for (const KeptUnit& unit : gops_.front()) bytes_ -= gst_buffer_get_size(unit.buffer.get());
    units_ -= gops_.front().size();
    gops_.pop_front();
  }
}

std::optional<KeptUnit> GopRing::Find(uint64_t captured_by_ns) const {
  std::lock_guard<std::mutex> lock(mutex_);
  for (auto gop = gops_.rbegin(); gop != gops_.rend(); ++gop) {
    const auto unit = std::find_if(gop->rbegin(), gop->rend(),
                                   [&](const KeptUnit& kept) { return kept.captured_ns <= captured_by_ns; });
    if (unit != gop->rend()) return *unit;
  }
  return std::nullopt;
}

const GopRing::Gop* GopRing::GopOf(uint64_t number) const {
  for (const Gop& gop : gops_) {
    if (number >= gop.front().number && number <= gop.back().number) return &gop;
  }
  return nullptr;
}

std::vector<KeptUnit> GopRing::UpTo(uint64_t number, uint64_t decoded) const {
  std::lock_guard<std::mutex> lock(mutex_);
  const Gop* gop = GopOf(number);
  if (!gop) return {};
  const bool goes_on = decoded >= gop->front().number && decoded < number;
  const uint64_t first = goes_on ? decoded + 1 : gop->front().number;
  const auto at = [&](uint64_t wanted) { return gop->begin() + static_cast<ptrdiff_t>(wanted - gop->front().number); };
  return {at(first), std::next(at(number))};
}

std::vector<KeptUnit> GopRing::Take() {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<KeptUnit> all;
  for (Gop& gop : gops_) all.insert(all.end(), gop.begin(), gop.end());
  gops_.clear();
  units_ = bytes_ = 0;
  return all;
}

GopRing::Level GopRing::level() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return {units_, bytes_, gops_.empty() ? 0 : gops_.front().front().captured_ns};
}

}  // namespace cap
