// Events from any thread to one JavaScript function, through a bounded queue.
#pragma once

#include <napi.h>

#include <atomic>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cap {

struct Event {
  using Value = std::variant<double, bool, std::string>;
  std::string type;
  std::vector<std::pair<std::string, Value>> fields;
};

class EventChannel {
 public:
  // `limit` events may wait; what comes while it is full is dropped and counted.
  EventChannel(Napi::Env env, Napi::Function listener, const char* name, size_t limit);
  ~EventChannel();
  EventChannel(const EventChannel&) = delete;
  EventChannel& operator=(const EventChannel&) = delete;

  // Callable from any thread; never blocks. A closed channel swallows what it is given.
  void Post(Event event);

  // Must be called on the JavaScript thread. Idempotent; lets the process exit.
  void Close();

  uint64_t dropped() const { return dropped_; }

 private:
  Napi::ThreadSafeFunction function_;
  std::atomic<bool> open_{true};
  std::atomic<uint64_t> dropped_{0};
};

}  // namespace cap
