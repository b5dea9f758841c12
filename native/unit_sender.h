// A door into another process: sends a hub's access units to the UnitReceiver that listens at a name.
#pragma once

#include <napi.h>

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "access_unit_hub.h"

namespace cap {

// Connects, and connects again when the other process was started anew; starts with a key frame each time.
class UnitSenderCore : public AccessUnitConsumer, public std::enable_shared_from_this<UnitSenderCore> {
 public:
  UnitSenderCore(std::shared_ptr<HubCore> hub, std::string name);
  ~UnitSenderCore() override;

  void Start();
  void Close();  // idempotent; joins the thread

  void Consume(const AccessUnit& unit, GstCaps* caps) override;
  bool WantsGop() override;
  void ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps* caps) override;

  bool connected() const { return connected_; }
  uint64_t delivered() const { return delivered_; }
  uint64_t dropped() const { return dropped_; }

 private:
  struct Message {
    std::string caps;  // when they are new
    AccessUnit unit;
  };

  void Run();
  void Serve();
  bool SendQueued();
  bool Send(const Message& message);
  bool ReadRequests();
  void Enqueue(const AccessUnit& unit, GstCaps* caps);
  void ForgetQueue();

  const std::shared_ptr<HubCore> hub_;
  const std::string name_;
  const int wake_;
  std::thread thread_;
  std::mutex mutex_;
  std::deque<Message> queue_;
  GstCaps* caps_ = nullptr;  // last queued on this connection
  int fd_ = -1;
  std::unique_ptr<Watching> watching_;  // what the other side said last; of the sender's own thread
  bool waits_for_key_ = true;
  bool at_start_ = true;
  std::atomic<bool> connected_{false}, closed_{false};
  std::atomic<uint64_t> delivered_{0}, dropped_{0};
};

class UnitSender : public Napi::ObjectWrap<UnitSender> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit UnitSender(const Napi::CallbackInfo& info);
  ~UnitSender() override;

 private:
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<UnitSenderCore> core_;
};

}  // namespace cap
