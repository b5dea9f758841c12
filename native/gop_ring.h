// The coded pictures of the last seconds, whole GOPs: what a still of now or of then is decoded from.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "access_unit_hub.h"

namespace cap {

struct KeptUnit {
  std::shared_ptr<GstBuffer> buffer;
  std::shared_ptr<GstCaps> caps;
  uint64_t number;  // counts the units that were kept, from 1
  uint64_t captured_ns;
};

// Without a reference of its own.
AccessUnit UnitOf(const KeptUnit& kept);

class GopRing : public AccessUnitConsumer {
 public:
  // Goes back at least `span_ns`, as far as that takes no more than `most_bytes`.
  // `on_unit` is called for each unit, on the encoder's streaming thread.
  GopRing(std::shared_ptr<HubCore> hub, uint64_t span_ns, size_t most_bytes, std::function<void()> on_unit);

  void Consume(const AccessUnit& unit, GstCaps* caps) override;
  bool WantsGop() override;
  void ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps* caps) override;

  // The newest unit that was captured by then.
  std::optional<KeptUnit> Find(uint64_t captured_by_ns) const;

  // From the key frame on, or from the one after `decoded` where that is in the same GOP, up to `number`; none when
  // it is not kept any more.
  std::vector<KeptUnit> UpTo(uint64_t number, uint64_t decoded) const;

  // All that is kept, which is forgotten then.
  std::vector<KeptUnit> Take();

  struct Level {
    size_t units, bytes;
    uint64_t oldest_ns;  // 0: empty
  };
  Level level() const;

 private:
  using Gop = std::vector<KeptUnit>;

  void Keep(const AccessUnit& unit, GstCaps* caps);
  void Trim();
  const Gop* GopOf(uint64_t number) const;

  const std::shared_ptr<HubCore> hub_;
  const uint64_t span_ns_;
  const size_t most_bytes_;
  const std::function<void()> on_unit_;
  mutable std::mutex mutex_;
  std::deque<Gop> gops_;
  std::shared_ptr<GstCaps> caps_;
  uint64_t kept_ = 0;
  size_t units_ = 0, bytes_ = 0;
};

}  // namespace cap
