// A connection to PipeWire and its thread, on which PipeWire calls back.
#pragma once

#include <pipewire/pipewire.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace cap {

class PipewireConnection {
 public:
  // Held by whoever touches what callbacks touch, too; these run with it.
  class Lock {
   public:
    explicit Lock(const PipewireConnection& connection) : loop_(connection.loop_) { pw_thread_loop_lock(loop_); }
    ~Lock() { pw_thread_loop_unlock(loop_); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    pw_thread_loop* loop_;
  };

  // To the daemon at the other end of `fd`, which is taken over, or to the user's own for -1, and to its
  // object `watched`. Null, with a reason, when there is none or it does not answer.
  static std::unique_ptr<PipewireConnection> Open(int fd, uint32_t watched, std::string& reason);
  ~PipewireConnection();
  PipewireConnection(const PipewireConnection&) = delete;
  PipewireConnection& operator=(const PipewireConnection&) = delete;

  // Becomes readable when there is news.
  int fd() const { return news_; }
  // Says so; for callbacks.
  void Signal();

  // With the lock held:
  pw_core* core() const { return core_; }
  // Waits until `done` says so, and lets callbacks run meanwhile. False when that took longer than
  // `timeout_ms`, or the connection is broken.
  bool WaitFor(const std::function<bool()>& done, int timeout_ms);
  // Takes note of the news; asks from time to time whether the daemon is there. False when it is broken.
  bool Check();
  // When to check although there is no news.
  uint64_t check_ns() const { return check_ns_; }
  // Why it is broken, or `otherwise`.
  std::string WhyBroken(const std::string& otherwise = "") const { return broken_.empty() ? otherwise : broken_; }
  bool watched_exists() const { return watched_exists_; }
  const std::string& version() const { return version_; }

 private:
  PipewireConnection() = default;
  bool Init(int fd, std::string& reason);
  void Ask();

  struct Events;

  int news_ = -1;
  pw_thread_loop* loop_ = nullptr;
  pw_context* context_ = nullptr;
  pw_core* core_ = nullptr;
  pw_registry* registry_ = nullptr;
  spa_hook core_hook_{}, registry_hook_{};
  uint32_t watched_ = PW_ID_ANY;
  bool watched_exists_ = false;
  std::string broken_, version_;
  int asked_ = 0, answered_ = 0;  // sequence numbers of syncs
  uint64_t asked_ns_ = 0, check_ns_ = 0;
};

}  // namespace cap
