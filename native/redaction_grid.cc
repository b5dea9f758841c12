#include "redaction_grid.h"

#include <algorithm>

namespace cap {

namespace {

constexpr int kCellPx = 8;
// A band's height, so that what is far away need not wait for it.
constexpr int kMaxBandRows = 512 / kCellPx;

// Joins runs of cells that lie exactly below each other into rectangles; rows come from top to bottom, runs from left
// to right.
class RunJoiner {
 public:
  void Add(int row, int left, int right) {
    if (row != row_) {
      above_ = row == row_ + 1 ? std::move(current_) : std::vector<size_t>();
      current_.clear();
      next_ = 0;
      row_ = row;
    }
    while (next_ < above_.size() && rects_[above_[next_]].x < left) ++next_;
    if (next_ < above_.size() && rects_[above_[next_]].x == left && rects_[above_[next_]].right() == right) {
      ++rects_[above_[next_]].height;
      current_.push_back(above_[next_]);
      return;
    }
    current_.push_back(rects_.size());
    rects_.push_back({left, row, right - left, 1});
  }

  const Rects& rects() const { return rects_; }

 private:
  Rects rects_;
  std::vector<size_t> above_, current_;  // those that end in the row before, and in this one
  size_t next_ = 0;
  int row_ = -2;
};

}  // namespace

RedactionGrid::RedactionGrid(int width, int height, bool reads)
    : width_(width),
      height_(height),
      columns_((width + kCellPx - 1) / kCellPx),
      rows_((height + kCellPx - 1) / kCellPx),
      reads_(reads),
      cells_(static_cast<size_t>(columns_) * static_cast<size_t>(rows_)) {}

Rect RedactionGrid::ToCells(const Rect& rect) const {
  const Rect inside = Intersect(rect, {0, 0, width_, height_});
  if (inside.empty()) return {};
  return FromCorners(inside.x / kCellPx, inside.y / kCellPx, (inside.right() + kCellPx - 1) / kCellPx,
                     (inside.bottom() + kCellPx - 1) / kCellPx);
}

Rect RedactionGrid::ToPixels(const Rect& cells) const {
  return Intersect({cells.x * kCellPx, cells.y * kCellPx, cells.width * kCellPx, cells.height * kCellPx},
                   {0, 0, width_, height_});
}

void RedactionGrid::Mask(Cause cause, const Rects& rects) {
  for (const Rect& rect : rects) {
    Each(rect, [&](Cell& cell) { cell.masked = static_cast<uint8_t>(cell.masked | cause); });
  }
}

void RedactionGrid::Unmask(Cause cause) {
  for (Cell& cell : cells_) cell.masked = static_cast<uint8_t>(cell.masked & ~cause);
}

Rects RedactionGrid::MoveWindows(const Rects& rects) {
  std::vector<bool> before;
  before.reserve(cells_.size());
  for (const Cell& cell : cells_) before.push_back(cell.masked & kWindow);
  Unmask(kWindow);
  Mask(kWindow, rects);
  RunJoiner left;
  for (int row = 0; row < rows_; ++row) {
    int start = -1;
    for (int column = 0; column <= columns_; ++column) {
      const size_t at = static_cast<size_t>(row) * static_cast<size_t>(columns_) + static_cast<size_t>(column);
      const bool is_left = column < columns_ && before[at] && !(cells_[at].masked & kWindow);
      if (is_left) cells_[at].masked |= kLeft;
      if (is_left && start < 0) start = column;
      if (!is_left && start >= 0) {
        left.Add(row, start, column);
        start = -1;
      }
    }
  }
  Rects pixels;
  for (const Rect& cells : left.rects()) pixels.push_back(ToPixels(cells));
  return pixels;
}

void RedactionGrid::Change(const Rects& damage, uint32_t frame, uint64_t now_ms) {
  for (const Rect& rect : damage) {
    Each(rect, [&](Cell& cell) {
      const bool waited = Waits(cell);
      cell.changed_in = frame;
      cell.outdated = true;
      cell.masked = static_cast<uint8_t>(cell.masked & ~kLeft);
      if (!reads_) return;
      if (!waited) cell.unread_since_ms = now_ms;
      cell.unread = true;
    });
  }
}

RedactionGrid::Action RedactionGrid::ActionFor(const Cell& cell, Unread unread, uint64_t shown_since_ms) {
  const Action blacken = cell.black ? Action::kNone : Action::kBlacken;
  const Action copy = cell.black || cell.outdated ? Action::kCopy : Action::kNone;
  if (cell.masked) return blacken;
  if (!cell.unread) return copy;
  switch (unread) {
    case Unread::kShown:
      return cell.unread_since_ms >= shown_since_ms ? copy : blacken;
    case Unread::kKept:
      return Action::kNone;
    case Unread::kHidden:
      break;
  }
  return blacken;
}

RedactionGrid::Changes RedactionGrid::Publish(Unread unread, uint64_t now_ms, uint64_t shown_for_ms) {
  const uint64_t shown_since_ms = now_ms - std::min(now_ms, shown_for_ms);
  RunJoiner copied, blackened;
  for (int row = 0; row < rows_; ++row) {
    Cell* cells = Row(row);
    int start = 0;
    Action run = Action::kNone;
    for (int column = 0; column <= columns_; ++column) {
      Action action = Action::kNone;
      if (column < columns_) {
        Cell& cell = cells[column];
        action = ActionFor(cell, unread, shown_since_ms);
        if (action != Action::kNone) cell.black = action == Action::kBlacken;
        if (action == Action::kCopy) cell.outdated = false;
      }
      if (action == run) continue;
      if (run == Action::kCopy) copied.Add(row, start, column);
      if (run == Action::kBlacken) blackened.Add(row, start, column);
      start = column;
      run = action;
    }
    if (run == Action::kCopy) copied.Add(row, start, columns_);
    if (run == Action::kBlacken) blackened.Add(row, start, columns_);
  }
  Changes changes;
  for (const Rect& cells : copied.rects()) changes.copied.push_back(ToPixels(cells));
  for (const Rect& cells : blackened.rects()) changes.blackened.push_back(ToPixels(cells));
  return changes;
}

bool RedactionGrid::RowWaits(int row) const {
  const Cell* cells = Row(row);
  return std::any_of(cells, cells + columns_, [&](const Cell& cell) { return Waits(cell); });
}

std::optional<RedactionGrid::Band> RedactionGrid::NextBand(uint32_t frame, uint64_t now_ms) const {
  const Cell* oldest = nullptr;
  for (const Cell& cell : cells_) {
    if (Waits(cell) && (!oldest || cell.unread_since_ms < oldest->unread_since_ms)) oldest = &cell;
  }
  if (!oldest) return std::nullopt;
  const int row = static_cast<int>(oldest - cells_.data()) / columns_;
  Band band{row, row, frame, now_ms};
  // The oldest is the first of its age from above.
  while (band.last_row + 1 < rows_ && band.last_row - band.first_row + 1 < kMaxBandRows && RowWaits(band.last_row + 1))
    ++band.last_row;
  while (band.first_row > 0 && band.last_row - band.first_row + 1 < kMaxBandRows && RowWaits(band.first_row - 1))
    --band.first_row;
  return band;
}

void RedactionGrid::Settle(const Band& band, const Rects& matched) {
  for (int row = std::max(0, band.first_row); row <= std::min(band.last_row, rows_ - 1); ++row) {
    for (Cell* cell = Row(row); cell < Row(row) + columns_; ++cell) {
      if (!cell->unread) continue;
      if (cell->changed_in <= band.frame) {
        cell->unread = false;
        cell->masked = static_cast<uint8_t>(cell->masked & ~kMatched);
      } else {
        cell->unread_since_ms = std::max(cell->unread_since_ms, band.at_ms);
      }
    }
  }
  Mask(kMatched, matched);
}

uint64_t RedactionGrid::MaskedCells() const {
  return static_cast<uint64_t>(std::count_if(cells_.begin(), cells_.end(), [](const Cell& c) { return c.masked; }));
}

uint64_t RedactionGrid::UnreadCells() const {
  return static_cast<uint64_t>(std::count_if(cells_.begin(), cells_.end(), [&](const Cell& c) { return Waits(c); }));
}

}  // namespace cap
