// Opens X connections with a little patience: a server without -noreset starts anew when its last
// client leaves, and refuses whoever comes at that moment.
#pragma once

#include <time.h>

namespace cap {

// The first result of `open` that `is_good`, or the last of a few tries, 20 ms apart.
template <typename Open, typename IsGood>
auto OpenX11(Open open, IsGood is_good) {
  constexpr int kTries = 5;
  auto result = open();
  for (int i = 1; i < kTries && !is_good(result); ++i) {
    const timespec pause{0, 20000000};
    nanosleep(&pause, nullptr);
    result = open();
  }
  return result;
}

}  // namespace cap
