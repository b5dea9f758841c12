#include "pipewire_connection.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "frame_stamper.h"

namespace cap {

namespace {

// A daemon that was asked this long ago and has not answered is taken for lost.
constexpr uint64_t kAnswerNs = 10000000000;
constexpr uint64_t kAskEveryNs = 2000000000;
constexpr int kFirstAnswerMs = 5000;

}  // namespace

struct PipewireConnection::Events {
  static void OnInfo(void* data, const pw_core_info* info) {
    if (info->version) static_cast<PipewireConnection*>(data)->version_ = info->version;
  }

  static void OnDone(void* data, uint32_t id, int seq) {
    auto* self = static_cast<PipewireConnection*>(data);
    if (id != PW_ID_CORE || seq != self->asked_) return;
    self->answered_ = seq;
    self->Signal();
  }

  static void OnError(void* data, uint32_t id, int, int result, const char* message) {
    auto* self = static_cast<PipewireConnection*>(data);
    // Other objects have listeners of their own.
    if (id != PW_ID_CORE || !self->broken_.empty()) return;
    self->broken_ = result == -EPIPE ? "PipeWire is gone" : std::string("PipeWire: ") + message;
    self->Signal();
  }

  static void OnGlobal(void* data, uint32_t id, uint32_t, const char*, uint32_t, const spa_dict*) {
    auto* self = static_cast<PipewireConnection*>(data);
    if (id == self->watched_) self->watched_exists_ = true;
  }

  static void OnGlobalRemove(void* data, uint32_t id) {
    auto* self = static_cast<PipewireConnection*>(data);
    if (id != self->watched_) return;
    self->watched_exists_ = false;
    self->Signal();
  }

  static const pw_core_events* Core() {
    static const pw_core_events events = [] {
      pw_core_events all{};
      all.version = PW_VERSION_CORE_EVENTS;
      all.info = OnInfo;
      all.done = OnDone;
      all.error = OnError;
      return all;
    }();
    return &events;
  }

  static const pw_registry_events* Registry() {
    static const pw_registry_events events = [] {
      pw_registry_events all{};
      all.version = PW_VERSION_REGISTRY_EVENTS;
      all.global = OnGlobal;
      all.global_remove = OnGlobalRemove;
      return all;
    }();
    return &events;
  }
};

std::unique_ptr<PipewireConnection> PipewireConnection::Open(int fd, uint32_t watched, std::string& reason) {
  static const bool ready = (pw_init(nullptr, nullptr), true);
  (void)ready;
  std::unique_ptr<PipewireConnection> connection(new PipewireConnection());
  connection->watched_ = watched;
  return connection->Init(fd, reason) ? std::move(connection) : nullptr;
}

bool PipewireConnection::Init(int fd, std::string& reason) {
  news_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  loop_ = pw_thread_loop_new("cap-pipewire", nullptr);
  context_ = loop_ ? pw_context_new(pw_thread_loop_get_loop(loop_), nullptr, 0) : nullptr;
  if (!context_ || pw_thread_loop_start(loop_) < 0) {
    reason = std::string("PipeWire's library does not start: ") + strerror(errno);
    if (fd >= 0) close(fd);
    return false;
  }
  const Lock lock(*this);
  core_ = fd >= 0 ? pw_context_connect_fd(context_, fd, nullptr, 0) : pw_context_connect(context_, nullptr, 0);
  if (!core_) {
    reason = std::string("PipeWire cannot be reached: ") + strerror(errno);
    return false;
  }
  pw_core_add_listener(core_, &core_hook_, Events::Core(), this);
  registry_ = pw_core_get_registry(core_, PW_VERSION_REGISTRY, 0);
  pw_registry_add_listener(registry_, &registry_hook_, Events::Registry(), this);
  Ask();
  if (WaitFor([this] { return answered_ == asked_; }, kFirstAnswerMs)) return true;
  reason = WhyBroken("PipeWire does not answer");
  return false;
}

PipewireConnection::~PipewireConnection() {
  if (loop_) pw_thread_loop_stop(loop_);
  if (registry_) pw_proxy_destroy(reinterpret_cast<pw_proxy*>(registry_));
  if (core_) {
    spa_hook_remove(&core_hook_);
    pw_core_disconnect(core_);
  }
  if (context_) pw_context_destroy(context_);
  if (loop_) pw_thread_loop_destroy(loop_);
  if (news_ >= 0) close(news_);
}

void PipewireConnection::Signal() {
  const uint64_t one = 1;
  (void)!write(news_, &one, sizeof one);
  pw_thread_loop_signal(loop_, false);
}

void PipewireConnection::Ask() {
  asked_ = pw_core_sync(core_, PW_ID_CORE, 0);
  asked_ns_ = MonotonicNs();
  check_ns_ = asked_ns_ + kAskEveryNs;
}

bool PipewireConnection::Check() {
  uint64_t count;
  (void)!read(news_, &count, sizeof count);
  const uint64_t now = MonotonicNs();
  if (now < check_ns_ || !broken_.empty()) return broken_.empty();
  if (answered_ == asked_) {
    Ask();
  } else if (now - asked_ns_ >= kAnswerNs) {
    broken_ = "PipeWire does not answer";
  } else {
    check_ns_ = now + kAskEveryNs;
  }
  return broken_.empty();
}

bool PipewireConnection::WaitFor(const std::function<bool()>& done, int timeout_ms) {
  timespec until;
  pw_thread_loop_get_time(loop_, &until, int64_t{timeout_ms} * SPA_NSEC_PER_MSEC);
  while (broken_.empty()) {
    if (done()) return true;
    if (pw_thread_loop_timed_wait_full(loop_, &until) < 0) return false;
  }
  return false;
}

}  // namespace cap
