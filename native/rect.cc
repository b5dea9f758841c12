#include "rect.h"

#include <cstddef>

namespace cap {

namespace {

// Pixels that may be covered in vain to save one rectangle: about what a request to the X server costs.
constexpr long kWorthOneRequest = 16384;

struct Pair {
  size_t first = 0, second = 0;
  long waste = 0;
};

Pair CheapestPair(const Rects& rects) {
  Pair best{0, 0, -1};
  for (size_t i = 0; i < rects.size(); ++i) {
    for (size_t j = i + 1; j < rects.size(); ++j) {
      const long overlap = Intersect(rects[i], rects[j]).area();
      const long waste = Bounds(rects[i], rects[j]).area() - rects[i].area() - rects[j].area() + overlap;
      if (best.waste < 0 || waste < best.waste) best = {i, j, waste};
    }
  }
  return best;
}

}  // namespace

Rects Simplify(Rects rects, size_t most) {
  // The search for pairs is cubic: a flood of small rectangles becomes one at once.
  if (rects.size() > 8 * most) {
    Rect all;
    for (const Rect& rect : rects) all = Bounds(all, rect);
    return {all};
  }
  while (rects.size() > 1) {
    const Pair pair = CheapestPair(rects);
    if (rects.size() <= most && pair.waste > kWorthOneRequest) break;
    rects[pair.first] = Bounds(rects[pair.first], rects[pair.second]);
    rects.erase(rects.begin() + static_cast<ptrdiff_t>(pair.second));
  }
  return rects;
}

}  // namespace cap
