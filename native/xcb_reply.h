// Frees what xcb returns.
#pragma once

#include <cstdlib>

namespace cap {

template <typename T>
struct Freed {
  T* value;
  explicit Freed(T* reply) : value(reply) {}
  ~Freed() { free(value); }
  Freed(const Freed&) = delete;
  Freed& operator=(const Freed&) = delete;
  T* operator->() const { return value; }
  explicit operator bool() const { return value != nullptr; }
};
template <typename T>
Freed(T*) -> Freed<T>;

}  // namespace cap
