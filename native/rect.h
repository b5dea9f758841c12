// Rectangles in pixels, and lists of them.
#pragma once

#include <algorithm>
#include <vector>

namespace cap {

struct Rect {
  int x = 0, y = 0, width = 0, height = 0;

  int right() const { return x + width; }
  int bottom() const { return y + height; }
  bool empty() const { return width <= 0 || height <= 0; }
  long area() const { return empty() ? 0 : static_cast<long>(width) * height; }
};

inline Rect FromCorners(int left, int top, int right, int bottom) { return {left, top, right - left, bottom - top}; }

inline Rect Intersect(const Rect& a, const Rect& b) {
  const Rect both = FromCorners(std::max(a.x, b.x), std::max(a.y, b.y), std::min(a.right(), b.right()),
                                std::min(a.bottom(), b.bottom()));
  return both.empty() ? Rect{} : both;
}

inline Rect Bounds(const Rect& a, const Rect& b) {
  if (a.empty()) return b;
  if (b.empty()) return a;
  return FromCorners(std::min(a.x, b.x), std::min(a.y, b.y), std::max(a.right(), b.right()),
                     std::max(a.bottom(), b.bottom()));
}

// Grown to even corners, as 4:2:0 needs, but not past `limit`.
inline Rect EvenOut(const Rect& rect, const Rect& limit) {
  return Intersect(FromCorners(rect.x & ~1, rect.y & ~1, (rect.right() + 1) & ~1, (rect.bottom() + 1) & ~1), limit);
}

using Rects = std::vector<Rect>;

// Joins rectangles until there are at most `most`, and joins those whose bounds waste little.
// The result covers the input; its members may overlap.
Rects Simplify(Rects rects, size_t most);

}  // namespace cap
