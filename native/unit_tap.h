// The door into JavaScript: hands it every access unit as one Buffer, through a bounded queue.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

#include "access_unit_hub.h"

namespace cap {

class UnitTapCore : public AccessUnitConsumer, public std::enable_shared_from_this<UnitTapCore> {
 public:
  // `max_waiting` units may wait for JavaScript; beyond that whole GOPs are dropped, as in every door.
  UnitTapCore(std::shared_ptr<HubCore> hub, Napi::Env env, Napi::Function listener, unsigned max_waiting);

  void Consume(const AccessUnit& unit, GstCaps* caps) override;
  bool WantsGop() override;
  void ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps* caps) override;

  // On JavaScript's thread. Idempotent; lets the process exit.
  void Close();

  uint64_t delivered() const { return delivered_; }
  uint64_t dropped() const { return dropped_; }

 private:
  void Post(const AccessUnit& unit);

  std::shared_ptr<HubCore> hub_;
  const unsigned max_waiting_;
  std::mutex mutex_;
  Napi::ThreadSafeFunction listener_;
  bool waits_for_key_ = true;
  bool at_start_ = true;  // nothing has been posted
  bool closed_ = false;
  std::atomic<unsigned> waiting_{0};
  std::atomic<uint64_t> delivered_{0}, dropped_{0};
};

class UnitTap : public Napi::ObjectWrap<UnitTap> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit UnitTap(const Napi::CallbackInfo& info);
  ~UnitTap() override;

 private:
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<UnitTapCore> core_;
};

}  // namespace cap
