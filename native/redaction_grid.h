// What of a picture may be shown, in cells of 8 x 8 pixels: which are masked and why, and which have changed since
// somebody last read what stands there. Whatever is masked is masked in whole cells.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "rect.h"

namespace cap {

// What becomes of a cell that has changed and was not read since.
enum class Unread {
  kShown,   // for so long, and then it is black
  kKept,    // it stays as it was published last
  kHidden,  // it is black
};

class RedactionGrid {
 public:
  enum Cause : uint8_t {
    kRegion = 1,
    kWindow = 2,
    kLeft = 4,  // a masked window was there, and the pixels may still be its own
    kMatched = 8,
  };

  // Rows of cells that are to be read.
  struct Band {
    int first_row = 0, last_row = 0;
    uint32_t frame = 0;
    uint64_t at_ms = 0;
  };

  // What must be done with the published picture, in pixels.
  struct Changes {
    Rects copied, blackened;
  };

  // All of it is black and, if it is to be read at all, unread.
  RedactionGrid(int width, int height, bool reads);

  void Mask(Cause cause, const Rects& rects);
  void Unmask(Cause cause);

  // Windows lie in `rects` from now on; where they have been, their pixels are taken for theirs until something
  // changes there in a later frame. Returns where that is.
  Rects MoveWindows(const Rects& rects);

  // Those pixels are other ones in frame number `frame`.
  void Change(const Rects& damage, uint32_t frame, uint64_t now_ms);

  Changes Publish(Unread unread, uint64_t now_ms, uint64_t shown_for_ms);

  // The rows around what has waited longest.
  std::optional<Band> NextBand(uint32_t frame, uint64_t now_ms) const;

  // What was read of the band as it was then: what matched, in pixels; the rest may be shown.
  void Settle(const Band& band, const Rects& matched);

  uint64_t MaskedCells() const;
  uint64_t UnreadCells() const;

 private:
  struct Cell {
    uint8_t masked = 0;
    bool unread = false;
    bool black = true;      // as it was published
    bool outdated = false;  // published before it changed
    uint32_t changed_in = 0;
    uint64_t unread_since_ms = 0;
  };

  enum class Action { kNone, kCopy, kBlacken };

  Rect ToCells(const Rect& rect) const;
  Rect ToPixels(const Rect& cells) const;
  static Action ActionFor(const Cell& cell, Unread unread, uint64_t shown_since_ms);
  bool Waits(const Cell& cell) const { return cell.unread && !(cell.masked & (kRegion | kWindow | kLeft)); }
  Cell* Row(int row) { return &cells_[static_cast<size_t>(row) * static_cast<size_t>(columns_)]; }
  const Cell* Row(int row) const { return &cells_[static_cast<size_t>(row) * static_cast<size_t>(columns_)]; }
  bool RowWaits(int row) const;

  template <typename Visit>
  void Each(const Rect& pixels, Visit visit) {
    const Rect in = ToCells(pixels);
    for (int row = in.y; row < in.bottom(); ++row) {
      for (int column = in.x; column < in.right(); ++column) visit(Row(row)[column]);
    }
  }

  const int width_, height_;
  const int columns_, rows_;
  const bool reads_;
  std::vector<Cell> cells_;
};

}  // namespace cap
