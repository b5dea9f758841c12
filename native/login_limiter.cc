#include "login_limiter.h"

#include <gio/gio.h>

#include <algorithm>

namespace cap {

namespace {

constexpr unsigned kMostFailures = 5;
constexpr uint64_t kSecondNs = 1000000000;
constexpr uint64_t kPauseNs = 30 * kSecondNs;
constexpr size_t kMostAddresses = 1024;

// Who has one IPv6 address has the 2^64 of its network.
std::string NetworkOf(const std::string& address) {
  GInetAddress* parsed = g_inet_address_new_from_string(address.c_str());
  if (!parsed) return address;
  const bool wide = g_inet_address_get_family(parsed) == G_SOCKET_FAMILY_IPV6;
  const auto* bytes = reinterpret_cast<const char*>(g_inet_address_to_bytes(parsed));
  std::string network = wide ? std::string(bytes, 8) : address;
  g_object_unref(parsed);
  return network;
}

}  // namespace

unsigned LoginLimiter::WaitSeconds(const std::string& address, uint64_t now_ns) const {
  const auto found = entries_.find(NetworkOf(address));
  if (found == entries_.end() || found->second.failures < kMostFailures) return 0;
  const uint64_t end = found->second.last_ns + kPauseNs;
  return now_ns >= end ? 0 : static_cast<unsigned>((end - now_ns + kSecondNs - 1) / kSecondNs);
}

void LoginLimiter::Failed(const std::string& address, uint64_t now_ns) {
  const std::string network = NetworkOf(address);
  if (entries_.count(network) == 0) MakeRoom(now_ns);
  Entry& entry = entries_[network];
  if (now_ns - entry.last_ns > kPauseNs) entry.failures = 0;
  ++entry.failures;
  entry.last_ns = now_ns;
}

// Forgets who has waited long enough; else whoever failed longest ago.
void LoginLimiter::MakeRoom(uint64_t now_ns) {
  if (entries_.size() < kMostAddresses) return;
  for (auto it = entries_.begin(); it != entries_.end();) {
    it = now_ns - it->second.last_ns > kPauseNs ? entries_.erase(it) : std::next(it);
  }
  if (entries_.size() < kMostAddresses) return;
  entries_.erase(std::min_element(entries_.begin(), entries_.end(),
                                  [](const auto& a, const auto& b) { return a.second.last_ns < b.second.last_ns; }));
}

}  // namespace cap
