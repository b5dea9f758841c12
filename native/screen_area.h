// The part of a screen or window that is captured: a region of it, or all of it through its resizes.
#pragma once

#include <string>

#include "rect.h"

namespace cap {

class ScreenArea {
 public:
  // `region` is empty for all of it.
  ScreenArea() = default;
  explicit ScreenArea(const Rect& region) : region_(region), area_(region) {}

  const Rect& area() const { return area_; }

  // What there is has that size now. False, with a reason, when the region lies outside.
  bool Fit(const Rect& whole, std::string& reason) {
    if (region_.empty()) {
      area_ = whole;
    } else if (Intersect(region_, whole).area() != region_.area()) {
      reason = "what is captured is now " + SizeText(whole) + " and the region " + SizeText(region_) + "+" +
               std::to_string(region_.x) + "+" + std::to_string(region_.y) + " lies outside";
      return false;
    }
    return true;
  }

 private:
  static std::string SizeText(const Rect& rect) {
    return std::to_string(rect.width) + "x" + std::to_string(rect.height);
  }

  Rect region_, area_;
};

}  // namespace cap
