#include "unit_wire.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace cap::wire {

namespace {

int OpenAt(const std::string& name, int (*use)(int, const sockaddr*, socklen_t)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (name.size() >= sizeof(address.sun_path)) {
    errno = ENAMETOOLONG;
    return -1;
  }
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || use(fd, reinterpret_cast<sockaddr*>(&address), length) == 0) return fd;
  const int why = errno;
  close(fd);
  errno = why;
  return -1;
}

}  // namespace

bool SendAll(int fd, const void* data, size_t size) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    bytes += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

bool ReceiveAll(int fd, void* data, size_t size) {
  auto* bytes = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t received = recv(fd, bytes, size, 0);
    if (received < 0 && errno == EINTR) continue;
    if (received <= 0) return false;
    bytes += received;
    size -= static_cast<size_t>(received);
  }
  return true;
}

int Listen(const std::string& name) {
  const int fd = OpenAt(name, bind);
  if (fd >= 0) listen(fd, 4);
  return fd;
}

int Connect(const std::string& name) {
  const int fd = OpenAt(name, connect);
  if (fd < 0 || IsOwn(fd)) return fd;
  close(fd);
  errno = EACCES;
  return -1;
}

bool IsOwn(int fd) {
  ucred peer{};
  socklen_t length = sizeof(peer);
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == geteuid();
}

void Notify(int event_fd) {
  const uint64_t one = 1;
  if (write(event_fd, &one, sizeof(one)) < 0) return;  // the counter is full: it is awake
}

void Acknowledge(int event_fd) {
  uint64_t count;
  if (read(event_fd, &count, sizeof(count)) < 0) return;  // nobody has notified since
}

}  // namespace cap::wire
