#include "unit_receiver.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "failure.h"
#include "unit_wire.h"

namespace cap {

namespace {

// A sender that stops in the middle of a message hangs: it is let go, and connects again.
constexpr timeval kReceiveTimeout{5, 0};
constexpr uint32_t kMostCapsBytes = 4096;

}  // namespace

UnitReceiverCore::UnitReceiverCore(int listener) : listener_(listener), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

UnitReceiverCore::~UnitReceiverCore() {
  gst_caps_replace(&caps_, nullptr);
  close(wake_);
}

void UnitReceiverCore::Start() {
  // Doors keep the hub, maybe for longer than the receiver lives.
  hub_ = HubCore::OpenRemote([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->Tell(wire::kWantsKeyFrame);
  });
  hub_->OnWatched([weak = weak_from_this()] {
    if (auto self = weak.lock()) self->TellWatched();
  });
  thread_ = std::thread([this] { Run(); });
}

void UnitReceiverCore::Close() {
  if (closed_.exchange(true)) return;
  hub_->Close();
  wire::Notify(wake_);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (fd_ >= 0) shutdown(fd_, SHUT_RDWR);
  }
  thread_.join();
  close(listener_);
}

void UnitReceiverCore::Tell(char what) {
  std::lock_guard<std::mutex> lock(mutex_);
  // Full: the sender has requests enough.
  if (fd_ >= 0) send(fd_, &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void UnitReceiverCore::TellWatched() {
  std::lock_guard<std::mutex> lock(mutex_);
  const bool watched = hub_->watched();
  if (fd_ < 0 || watched == told_watched_) return;
  const char what = watched ? wire::kWatched : wire::kUnwatched;
  if (send(fd_, &what, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1) told_watched_ = watched;
}

void UnitReceiverCore::Replace(int fd) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
    connected_ = fd >= 0;
    told_watched_ = false;
    gst_caps_replace(&caps_, nullptr);
    if (fd >= 0) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kReceiveTimeout, sizeof(kReceiveTimeout));
  }
  TellWatched();
}

void UnitReceiverCore::Accept() {
  const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (fd < 0) return;
  if (wire::IsOwn(fd)) return Replace(fd);
  close(fd);
}

void UnitReceiverCore::Run() {
  while (!closed_) {
    pollfd wait[] = {{listener_, POLLIN, 0}, {wake_, POLLIN, 0}, {fd_, POLLIN, 0}};  // poll ignores an fd of -1
    poll(wait, 3, -1);
    if (closed_) break;
    if (wait[0].revents) {
      Accept();
    } else if (wait[2].revents && !ReceiveMessage()) {
      Replace(-1);
    }
  }
  Replace(-1);
}

bool UnitReceiverCore::ReceiveMessage() {
  wire::Head head;
  if (!wire::ReceiveAll(fd_, &head, sizeof(head))) return false;
  switch (head.kind) {
    case wire::kHello:
      hub_->set_keep_gop(head.value == 1);
      return head.size == 0;
    case wire::kCaps:
      return ReceiveCaps(head.size);
    case wire::kUnit:
    case wire::kKeyUnit:
      return ReceiveUnit(head.size, head.value, head.kind == wire::kKeyUnit);
    default:
      return false;
  }
}

bool UnitReceiverCore::ReceiveCaps(uint32_t size) {
  if (size > kMostCapsBytes) return false;
  std::string text(size, '\0');
  if (!wire::ReceiveAll(fd_, text.data(), size)) return false;
  if (caps_) gst_caps_unref(caps_);
  caps_ = gst_caps_from_string(text.c_str());
  return caps_ != nullptr;
}

bool UnitReceiverCore::ReceiveUnit(uint32_t size, uint64_t captured_ns, bool key) {
  if (size == 0 || size > wire::kMostBytes) return false;
  GstBuffer* buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  const bool whole = wire::ReceiveAll(fd_, map.data, size);
  gst_buffer_unmap(buffer, &map);
  if (whole) {
    if (!key) GST_BUFFER_FLAG_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    hub_->Take({buffer, captured_ns, key}, caps_);
  }
  gst_buffer_unref(buffer);
  return whole;
}

// --- the JavaScript class ---

Napi::Function UnitReceiver::Define(Napi::Env env) {
  return DefineClass(
      env, "UnitReceiver",
      {InstanceMethod<&UnitReceiver::Connected>("connected"), InstanceMethod<&UnitReceiver::Close>("close")});
}

UnitReceiver* UnitReceiver::From(Napi::Value value) {
  return ObjectWrap<UnitReceiver>::Unwrap(value.As<Napi::Object>());
}

// new UnitReceiver(name)
UnitReceiver::UnitReceiver(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  const int listener = wire::Listen(name);
  if (listener < 0) Throw(info.Env(), "pipeline", name + ": " + std::strerror(errno));
  core_ = std::make_shared<UnitReceiverCore>(listener);
  core_->Start();
}

UnitReceiver::~UnitReceiver() {
  if (core_) core_->Close();
}

Napi::Value UnitReceiver::Connected(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), core_->connected());
}

void UnitReceiver::Close(const Napi::CallbackInfo&) { core_->Close(); }

}  // namespace cap
