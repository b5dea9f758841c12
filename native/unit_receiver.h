// The other end of a UnitSender: a hub whose access units another process encodes.
#pragma once

#include <napi.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "access_unit_hub.h"

namespace cap {

// Listens at a name, for processes of the same user. One sender at a time: a new one takes the place of the one
// before, and the hub, with all its doors, goes on.
class UnitReceiverCore : public std::enable_shared_from_this<UnitReceiverCore> {
 public:
  explicit UnitReceiverCore(int listener);
  ~UnitReceiverCore();

  void Start();

  void Close();  // idempotent; joins the thread

  const std::shared_ptr<HubCore>& hub() const { return hub_; }
  bool connected() const { return connected_; }

 private:
  void Run();
  void Accept();
  bool ReceiveMessage();
  bool ReceiveCaps(uint32_t size);
  bool ReceiveUnit(uint32_t size, uint64_t captured_ns, bool key);
  void Replace(int fd);
  void Tell(char what);
  void TellWatched();

  const int listener_;
  const int wake_;
  std::mutex mutex_;  // of fd_, which others write to and shut down
  int fd_ = -1;
  GstCaps* caps_ = nullptr;
  bool told_watched_ = false;
  std::atomic<bool> connected_{false}, closed_{false};
  std::shared_ptr<HubCore> hub_;
  std::thread thread_;
};

class UnitReceiver : public Napi::ObjectWrap<UnitReceiver> {
 public:
  static Napi::Function Define(Napi::Env env);
  static UnitReceiver* From(Napi::Value value);
  explicit UnitReceiver(const Napi::CallbackInfo& info);
  ~UnitReceiver() override;
  const std::shared_ptr<HubCore>& hub() const { return core_->hub(); }

 private:
  Napi::Value Connected(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<UnitReceiverCore> core_;
};

}  // namespace cap
