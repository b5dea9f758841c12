#include "unit_sender.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit_wire.h"

namespace cap {

namespace {

// Two seconds at 30 fps may wait; the other side reads without pause.
constexpr size_t kMostQueued = 60;
constexpr int kReconnectMs = 20;
// The other process hangs when it takes nothing for this long; it is connected to anew.
constexpr timeval kSendTimeout{2, 0};

}  // namespace

UnitSenderCore::UnitSenderCore(std::shared_ptr<HubCore> hub, std::string name)
    : hub_(std::move(hub)), name_(std::move(name)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

UnitSenderCore::~UnitSenderCore() {
  Close();
  close(wake_);
}

void UnitSenderCore::Start() {
  hub_->Add(shared_from_this(), false);
  thread_ = std::thread([this] { Run(); });
}

void UnitSenderCore::Close() {
  if (closed_.exchange(true)) return;
  hub_->Remove(shared_from_this());
  wire::Notify(wake_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (fd_ >= 0) shutdown(fd_, SHUT_RDWR);
  }
  if (thread_.joinable()) thread_.join();
}

void UnitSenderCore::ForgetQueue() {
  for (const Message& message : queue_) gst_buffer_unref(message.unit.buffer);
  dropped_ += queue_.size();
  queue_.clear();
  gst_caps_replace(&caps_, nullptr);
}

// --- the encoder's streaming thread ---

bool UnitSenderCore::WantsGop() { return connected_ && at_start_; }

void UnitSenderCore::ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps* caps) {
  std::lock_guard<std::mutex> lock(mutex_);
  waits_for_key_ = false;
  for (const AccessUnit& unit : gop) Enqueue(unit, caps);
}

void UnitSenderCore::Consume(const AccessUnit& unit, GstCaps* caps) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (!connected_) return;
  if (queue_.size() >= kMostQueued) waits_for_key_ = true;
  // As in every door: what follows a gap begins with a key frame.
  if (waits_for_key_ && (!unit.key || queue_.size() > kMostQueued / 2)) {
    hub_->RequestKeyFrame();
    if (!at_start_) ++dropped_;
    return;
  }
  waits_for_key_ = false;
  Enqueue(unit, caps);
}

void UnitSenderCore::Enqueue(const AccessUnit& unit, GstCaps* caps) {
  at_start_ = false;
  Message message{"", unit};
  if (caps && (!caps_ || !gst_caps_is_equal(caps_, caps))) {
    gst_caps_replace(&caps_, caps);
    gchar* text = gst_caps_to_string(caps);
    message.caps = text;
    g_free(text);
  }
  gst_buffer_ref(unit.buffer);
  queue_.push_back(std::move(message));
  wire::Notify(wake_);
}

// --- the sender's own thread ---

void UnitSenderCore::Run() {
  while (!closed_) {
    const int fd = wire::Connect(name_);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      fd_ = fd;
    }
    if (fd >= 0) {
      setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &kSendTimeout, sizeof(kSendTimeout));
      Serve();
      watching_.reset();
      std::lock_guard<std::mutex> lock(mutex_);
      connected_ = false;
      fd_ = -1;
      close(fd);
      ForgetQueue();
    }
    pollfd wake{wake_, POLLIN, 0};
    if (!closed_) poll(&wake, 1, kReconnectMs);
  }
}

void UnitSenderCore::Serve() {
  const wire::Head hello{wire::kHello, 0, hub_->keeps_gop() ? 1u : 0u};
  if (!wire::SendAll(fd_, &hello, sizeof(hello))) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    waits_for_key_ = at_start_ = true;
    connected_ = true;
  }
  hub_->RequestKeyFrame();
  while (!closed_) {
    pollfd wait[] = {{fd_, POLLIN, 0}, {wake_, POLLIN, 0}};
    poll(wait, 2, -1);
    if (wait[1].revents) wire::Acknowledge(wake_);
    if (wait[0].revents && !ReadRequests()) return;
    if (!SendQueued()) return;
  }
}

bool UnitSenderCore::ReadRequests() {
  char bytes[64];
  const ssize_t count = recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
  if (count <= 0) return false;
  for (ssize_t i = 0; i < count; ++i) {
    if (bytes[i] == wire::kWatched) {
      watching_ = std::make_unique<Watching>(hub_);
    } else if (bytes[i] == wire::kUnwatched) {
      watching_.reset();
    } else {
      hub_->RequestKeyFrame();
    }
  }
  return true;
}

bool UnitSenderCore::SendQueued() {
  for (;;) {
    Message message;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (queue_.empty()) return true;
      message = std::move(queue_.front());
      queue_.pop_front();
    }
    const bool sent = Send(message);
    gst_buffer_unref(message.unit.buffer);
    if (!sent) return false;
    ++delivered_;
  }
}

bool UnitSenderCore::Send(const Message& message) {
  if (!message.caps.empty()) {
    const wire::Head head{wire::kCaps, static_cast<uint32_t>(message.caps.size()), 0};
    if (!wire::SendAll(fd_, &head, sizeof(head)) || !wire::SendAll(fd_, message.caps.data(), message.caps.size())) {
      return false;
    }
  }
  GstMapInfo map;
  if (!gst_buffer_map(message.unit.buffer, &map, GST_MAP_READ)) return false;
  const wire::Head head{message.unit.key ? wire::kKeyUnit : wire::kUnit, static_cast<uint32_t>(map.size),
                        message.unit.captured_ns};
  const bool sent = wire::SendAll(fd_, &head, sizeof(head)) && wire::SendAll(fd_, map.data, map.size);
  gst_buffer_unmap(message.unit.buffer, &map);
  return sent;
}

// --- the JavaScript class ---

Napi::Function UnitSender::Define(Napi::Env env) {
  return DefineClass(env, "UnitSender",
                     {InstanceMethod<&UnitSender::Stats>("stats"), InstanceMethod<&UnitSender::Close>("close")});
}

// new UnitSender(hub, name)
UnitSender::UnitSender(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  core_ =
      std::make_shared<UnitSenderCore>(AccessUnitHub::From(info[0])->core(), info[1].As<Napi::String>().Utf8Value());
  core_->Start();
}

UnitSender::~UnitSender() {
  if (core_) core_->Close();
}

Napi::Value UnitSender::Stats(const Napi::CallbackInfo& info) {
  Napi::Object stats = Napi::Object::New(info.Env());
  stats.Set("connected", core_->connected());
  stats.Set("delivered", static_cast<double>(core_->delivered()));
  stats.Set("dropped", static_cast<double>(core_->dropped()));
  return stats;
}

void UnitSender::Close(const Napi::CallbackInfo&) { core_->Close(); }

}  // namespace cap
