#include "window_masks.h"

#include <glib.h>
#include <xcb/damage.h>
#include <xcb/xfixes.h>

#include <algorithm>
#include <utility>

#include "xcb_reply.h"

namespace cap {

namespace {

// Window managers put a window into one frame or two.
constexpr int kMaxDepth = 3;
constexpr uint32_t kMaxPropertyWords = 1024;
constexpr uint32_t kHeard = XCB_EVENT_MASK_SUBSTRUCTURE_NOTIFY | XCB_EVENT_MASK_PROPERTY_CHANGE;

std::string Fold(const std::string& text) {
  gchar* valid = g_utf8_make_valid(text.data(), static_cast<gssize>(text.size()));
  gchar* folded = g_utf8_casefold(valid, -1);
  std::string result = folded;
  g_free(folded);
  g_free(valid);
  return result;
}

xcb_atom_t Intern(xcb_connection_t* connection, const std::string& name) {
  Freed reply(xcb_intern_atom_reply(
      connection, xcb_intern_atom(connection, 0, static_cast<uint16_t>(name.size()), name.c_str()), nullptr));
  if (!reply) return XCB_ATOM_NONE;
  return reply->atom;
}

Rect WithBorder(int x, int y, int width, int height, int border) {
  return {x, y, width + 2 * border, height + 2 * border};
}

}  // namespace

std::unique_ptr<WindowMasks> WindowMasks::Open(const WindowMaskOptions& options) {
  int number = 0;
  xcb_connection_t* connection = xcb_connect(options.display.empty() ? nullptr : options.display.c_str(), &number);
  std::unique_ptr<WindowMasks> masks(new WindowMasks(connection));
  if (xcb_connection_has_error(connection)) return nullptr;
  const auto* damage = xcb_get_extension_data(connection, &xcb_damage_id);
  const auto* fixes = xcb_get_extension_data(connection, &xcb_xfixes_id);
  if (!damage || !damage->present || !fixes || !fixes->present) return nullptr;
  Freed damage_version(xcb_damage_query_version_reply(connection, xcb_damage_query_version(connection, 1, 1), nullptr));
  Freed fixes_version(xcb_xfixes_query_version_reply(connection, xcb_xfixes_query_version(connection, 5, 0), nullptr));
  if (!damage_version || !fixes_version) return nullptr;
  auto screens = xcb_setup_roots_iterator(xcb_get_setup(connection));
  for (int i = 0; i < number && screens.rem > 1; ++i) xcb_screen_next(&screens);
  masks->root_ = screens.data->root;
  masks->net_wm_name_ = Intern(connection, "_NET_WM_NAME");
  masks->origin_x_ = options.origin_x;
  masks->origin_y_ = options.origin_y;
  for (const std::string& pattern : options.patterns) masks->patterns_.push_back(Fold(pattern));
  xcb_change_window_attributes(connection, masks->root_, XCB_CW_EVENT_MASK, &kHeard);
  return masks;
}

WindowMasks::~WindowMasks() { xcb_disconnect(connection_); }

// Takes what the server has said up to now. False when it does not answer.
bool WindowMasks::Hear(std::vector<Moved>& moved) {
  Freed answered(xcb_get_input_focus_reply(connection_, xcb_get_input_focus(connection_), nullptr));
  if (!answered) return false;
  while (auto* raw = xcb_poll_for_event(connection_)) {
    const Freed event(raw);
    stale_ = true;
    switch (raw->response_type & 0x7f) {
      case XCB_CREATE_NOTIFY: {
        const auto* created = reinterpret_cast<const xcb_create_notify_event_t*>(raw);
        if (created->parent != root_) break;
        moved.push_back({created->window,
                         WithBorder(created->x, created->y, created->width, created->height, created->border_width)});
        break;
      }
      case XCB_CONFIGURE_NOTIFY: {
        const auto* configured = reinterpret_cast<const xcb_configure_notify_event_t*>(raw);
        if (configured->event != root_) break;
        moved.push_back({configured->window, WithBorder(configured->x, configured->y, configured->width,
                                                        configured->height, configured->border_width)});
        break;
      }
      default:
        break;
    }
  }
  return true;
}

std::vector<xcb_window_t> WindowMasks::Children(xcb_window_t window, bool& exists) {
  Freed tree(xcb_query_tree_reply(connection_, xcb_query_tree(connection_, window), nullptr));
  exists = static_cast<bool>(tree);
  if (!exists) return {};
  const xcb_window_t* first = xcb_query_tree_children(tree.value);
  return {first, first + xcb_query_tree_children_length(tree.value)};
}

std::string WindowMasks::Property(xcb_window_t window, xcb_atom_t name) {
  Freed property(xcb_get_property_reply(
      connection_, xcb_get_property(connection_, 0, window, name, XCB_GET_PROPERTY_TYPE_ANY, 0, kMaxPropertyWords),
      nullptr));
  if (!property || property->format != 8) return "";
  std::string text(static_cast<const char*>(xcb_get_property_value(property.value)),
                   static_cast<size_t>(xcb_get_property_value_length(property.value)));
  // WM_CLASS is two texts: the application's name, and its class.
  std::replace(text.begin(), text.end(), '\0', '\n');
  return text;
}

bool WindowMasks::MatchesItself(xcb_window_t window) {
  for (const xcb_atom_t name : {xcb_atom_t{XCB_ATOM_WM_CLASS}, xcb_atom_t{XCB_ATOM_WM_NAME}, net_wm_name_}) {
    const std::string text = Fold(Property(window, name));
    for (const std::string& pattern : patterns_) {
      if (text.find(pattern) != std::string::npos) return true;
    }
  }
  return false;
}

bool WindowMasks::Matches(xcb_window_t window, int depth) {
  // First, so that whatever changes from here on is heard.
  xcb_change_window_attributes(connection_, window, XCB_CW_EVENT_MASK, &kHeard);
  if (MatchesItself(window)) return true;
  if (depth == kMaxDepth) return false;
  bool exists;
  const auto children = Children(window, exists);
  return std::any_of(children.begin(), children.end(), [&](xcb_window_t child) { return Matches(child, depth + 1); });
}

// Looks at all windows anew. Of one that matches, or has something in it that does, all is masked, also its frame.
bool WindowMasks::List() {
  bool exists;
  const auto windows = Children(root_, exists);
  if (!exists) return false;
  known_ = {windows.begin(), windows.end()};
  matching_.clear();
  places_.clear();
  for (const xcb_window_t window : windows) {
    if (!Matches(window, 0)) continue;
    matching_.insert(window);
    Freed attributes(
        xcb_get_window_attributes_reply(connection_, xcb_get_window_attributes(connection_, window), nullptr));
    Freed place(xcb_get_geometry_reply(connection_, xcb_get_geometry(connection_, window), nullptr));
    if (!attributes || !place || attributes->map_state == XCB_MAP_STATE_UNMAPPED) continue;
    places_.push_back(WithBorder(place->x, place->y, place->width, place->height, place->border_width));
  }
  return !xcb_connection_has_error(connection_);
}

bool WindowMasks::Update(Rects& rects) {
  std::vector<Moved> moved;
  if (!Hear(moved)) return false;
  const std::set<xcb_window_t> matched = matching_;
  if (std::exchange(stale_, false) && !List()) return false;
  rects = places_;
  for (const auto& [window, place] : moved) {
    // One that is gone again could not be asked what it was.
    const bool is_masked = matched.count(window) || matching_.count(window) || !known_.count(window);
    if (is_masked) rects.push_back(place);
  }
  for (Rect& rect : rects) {
    rect.x -= origin_x_;
    rect.y -= origin_y_;
  }
  return true;
}

void WindowMasks::CaptureAnew(const Rects& rects) {
  std::vector<xcb_rectangle_t> places;
  for (const Rect& rect : rects) {
    places.push_back({static_cast<int16_t>(rect.x + origin_x_), static_cast<int16_t>(rect.y + origin_y_),
                      static_cast<uint16_t>(rect.width), static_cast<uint16_t>(rect.height)});
  }
  const xcb_xfixes_region_t region = xcb_generate_id(connection_);
  xcb_xfixes_create_region(connection_, region, static_cast<uint32_t>(places.size()), places.data());
  xcb_damage_add(connection_, root_, region);
  xcb_xfixes_destroy_region(connection_, region);
  xcb_flush(connection_);
}

}  // namespace cap
