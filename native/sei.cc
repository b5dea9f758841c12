#include "sei.h"

#include <cstring>
#include <fstream>
#include <string>

namespace cap {

namespace {

constexpr uint8_t kUuid[16] = {0x7c, 0x1e, 0x5f, 0x2a, 0x9b, 0x64, 0x4d, 0x0e,
                               0x8a, 0x37, 0xc4, 0xa9, 0xf0, 0xd1, 0x5e, 0x62};
constexpr uint8_t kUserDataUnregistered = 5;
constexpr uint8_t kNalSlice = 1, kNalPartitionC = 4, kNalIdr = 5, kNalSei = 6, kNalDelimiter = 9;
constexpr uint8_t kPayloadVersion = 1;
constexpr uint8_t kSectionCapture = 1, kSectionSource = 2, kSectionDamage = 5;
// More rectangles than this are told as fewer, larger ones.
constexpr size_t kMostDamageRects = 64;

bool IsSlice(uint8_t nal_type) { return (nal_type >= kNalSlice && nal_type <= kNalPartitionC) || nal_type == kNalIdr; }

// Index of the next 00 00 01 at or after `from`, or `size`.
size_t NextStartCode(const uint8_t* data, size_t size, size_t from) {
  for (size_t i = from; i + 3 <= size; ++i) {
    if (data[i + 2] > 1) {
      i += 2;
    } else if (data[i] == 0 && data[i + 1] == 0 && data[i + 2] == 1) {
      return i;
    }
  }
  return size;
}

std::vector<uint8_t> Unescape(const uint8_t* data, size_t size) {
  std::vector<uint8_t> out;
  out.reserve(size);
  int zeros = 0;
  for (size_t i = 0; i < size; ++i) {
    if (zeros >= 2 && data[i] == 3) {
      zeros = 0;
      continue;
    }
    zeros = data[i] == 0 ? zeros + 1 : 0;
    out.push_back(data[i]);
  }
  return out;
}

// Reads the ff-coded value of an SEI header; false when the bytes run out.
bool ReadVarying(const std::vector<uint8_t>& bytes, size_t& at, size_t& value) {
  value = 0;
  while (at < bytes.size() && bytes[at] == 0xff) value += 255, ++at;
  if (at >= bytes.size()) return false;
  value += bytes[at++];
  return true;
}

std::optional<std::vector<uint8_t>> PayloadInSei(const uint8_t* data, size_t size) {
  const std::vector<uint8_t> rbsp = Unescape(data, size);
  size_t at = 0;
  while (at + 2 < rbsp.size()) {
    size_t type, length;
    if (!ReadVarying(rbsp, at, type) || !ReadVarying(rbsp, at, length)) return std::nullopt;
    if (length > rbsp.size() - at) return std::nullopt;
    if (type == kUserDataUnregistered && length >= sizeof kUuid && !memcmp(&rbsp[at], kUuid, sizeof kUuid)) {
      return std::vector<uint8_t>(rbsp.begin() + at + sizeof kUuid, rbsp.begin() + at + length);
    }
    at += length;
  }
  return std::nullopt;
}

void Put(std::vector<uint8_t>& out, uint64_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out.push_back(static_cast<uint8_t>(value >> shift));
}

void PutDamage(std::vector<uint8_t>& out, const Rects& damage) {
  const Rects rects = damage.size() > kMostDamageRects ? Simplify(damage, kMostDamageRects) : damage;
  out.push_back(kSectionDamage);
  Put(out, rects.size() * 8, 2);
  for (const Rect& rect : rects) {
    for (int value : {rect.x, rect.y, rect.width, rect.height}) Put(out, static_cast<uint64_t>(value), 2);
  }
}

}  // namespace

std::vector<uint8_t> BuildSeiNal(const uint8_t* payload, size_t size) {
  std::vector<uint8_t> rbsp;
  rbsp.reserve(size + 32);
  rbsp.push_back(kUserDataUnregistered);
  size_t length = sizeof kUuid + size;
  for (; length >= 255; length -= 255) rbsp.push_back(0xff);
  rbsp.push_back(static_cast<uint8_t>(length));
  rbsp.insert(rbsp.end(), kUuid, kUuid + sizeof kUuid);
  rbsp.insert(rbsp.end(), payload, payload + size);
  rbsp.push_back(0x80);  // rbsp_trailing_bits

  std::vector<uint8_t> nal = {0, 0, 0, 1, kNalSei};
  nal.reserve(rbsp.size() * 3 / 2 + 8);
  int zeros = 0;
  for (uint8_t byte : rbsp) {
    if (zeros >= 2 && byte <= 3) {
      nal.push_back(3);
      zeros = 0;
    }
    nal.push_back(byte);
    zeros = byte == 0 ? zeros + 1 : 0;
  }
  return nal;
}

std::optional<std::vector<uint8_t>> FindSeiPayload(const uint8_t* data, size_t size) {
  size_t start = NextStartCode(data, size, 0);
  while (start + 3 < size) {
    const size_t nal = start + 3;
    const uint8_t type = data[nal] & 0x1f;
    if (IsSlice(type)) return std::nullopt;
    const size_t next = NextStartCode(data, size, nal);
    if (type == kNalSei) {
      if (auto payload = PayloadInSei(data + nal + 1, next - nal - 1)) return payload;
    }
    start = next;
  }
  return std::nullopt;
}

size_t FirstSliceOffset(const uint8_t* data, size_t size) {
  for (size_t start = NextStartCode(data, size, 0); start + 3 < size; start = NextStartCode(data, size, start + 3)) {
    if (IsSlice(data[start + 3] & 0x1f)) {
      return start > 0 && data[start - 1] == 0 ? start - 1 : start;  // a four-byte start code stays whole
    }
  }
  return size;
}

Span FindLateDelimiter(const uint8_t* data, size_t size) {
  for (size_t start = NextStartCode(data, size, 0); start + 3 < size;) {
    const uint8_t type = data[start + 3] & 0x1f;
    if (IsSlice(type)) break;
    size_t next = NextStartCode(data, size, start + 3);
    // The zero before a start code of three bytes belongs to it.
    const bool long_code = start > 0 && data[start - 1] == 0;
    if (next < size && data[next - 1] == 0) --next;
    if (type == kNalDelimiter) {
      const size_t offset = long_code ? start - 1 : start;
      return offset > 0 ? Span{offset, next - offset} : Span{0, 0};
    }
    start = NextStartCode(data, size, next);
  }
  return {0, 0};
}

bool LacksBeginning(const uint8_t* data, size_t size) {
  const size_t nal = NextStartCode(data, size, FirstSliceOffset(data, size)) + 3;
  // The slice header begins with first_mb_in_slice as an Exp-Golomb code: 0 is a single bit that is set.
  return nal + 1 < size && !(data[nal + 1] & 0x80);
}

std::vector<uint8_t> BuildPayload(const FrameStamp& stamp, const std::vector<uint8_t>& static_sections) {
  std::vector<uint8_t> out;
  out.reserve(48 + static_sections.size());
  out.push_back(kPayloadVersion);
  out.push_back(kSectionCapture);
  Put(out, 32, 2);
  Put(out, stamp.frame_number, 8);
  Put(out, stamp.monotonic_ns, 8);
  Put(out, stamp.wall_us, 8);
  Put(out, stamp.clock_id, 8);
  out.push_back(kSectionSource);
  Put(out, 4, 2);
  Put(out, stamp.width, 2);
  Put(out, stamp.height, 2);
  if (stamp.damage) PutDamage(out, *stamp.damage);
  out.insert(out.end(), static_sections.begin(), static_sections.end());
  return out;
}

uint64_t ClockId() {
  static const uint64_t id = [] {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string boot_id;
    file >> boot_id;
    uint64_t hash = 0xcbf29ce484222325ull;
    for (unsigned char c : boot_id) hash = (hash ^ c) * 0x100000001b3ull;
    return hash;
  }();
  return id;
}

}  // namespace cap
