// Addresses that try wrong passwords, and those that may not try for a while.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

namespace cap {

class LoginLimiter {
 public:
  // Seconds that `address` must wait, 0 for none.
  unsigned WaitSeconds(const std::string& address, uint64_t now_ns) const;

  void Failed(const std::string& address, uint64_t now_ns);

 private:
  struct Entry {
    unsigned failures;
    uint64_t last_ns;
  };
  void MakeRoom(uint64_t now_ns);

  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace cap
