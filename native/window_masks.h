// Where the windows lie on an X screen that must not be seen, known by title, class or application.
#pragma once

#include <xcb/xcb.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "rect.h"

namespace cap {

struct WindowMaskOptions {
  std::string display;
  // Each is looked for in a window's title, class and application's name, whatever its case.
  std::vector<std::string> patterns;
  // Of the picture on the screen.
  int origin_x = 0, origin_y = 0;
};

class WindowMasks {
 public:
  // Null when the display cannot be opened, or does not say what is drawn.
  static std::unique_ptr<WindowMasks> Open(const WindowMaskOptions& options);
  ~WindowMasks();
  WindowMasks(const WindowMasks&) = delete;
  WindowMasks& operator=(const WindowMasks&) = delete;

  // Wherever such a window may have been since the last call, in the picture. Asks the server, so what was captured
  // before the call is older than the answer. False when it does not answer.
  bool Update(Rects& rects);

  // Has the server take these parts of the picture for changed, so that they are captured anew.
  void CaptureAnew(const Rects& rects);

 private:
  struct Moved {
    xcb_window_t window;
    Rect place;
  };

  explicit WindowMasks(xcb_connection_t* connection) : connection_(connection) {}
  bool Hear(std::vector<Moved>& moved);
  bool List();
  bool Matches(xcb_window_t window, int depth);
  bool MatchesItself(xcb_window_t window);
  std::string Property(xcb_window_t window, xcb_atom_t name);
  std::vector<xcb_window_t> Children(xcb_window_t window, bool& exists);

  xcb_connection_t* const connection_;
  xcb_window_t root_ = 0;
  xcb_atom_t net_wm_name_ = 0;
  int origin_x_ = 0, origin_y_ = 0;
  std::vector<std::string> patterns_;  // folded
  bool stale_ = true;
  std::set<xcb_window_t> known_, matching_;  // children of the root window
  Rects places_;                             // of those that match, on the screen
};

}  // namespace cap
