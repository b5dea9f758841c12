#include "x11_pick.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "failure.h"
#include "x11_open.h"
#include "xcb_reply.h"

namespace cap {

namespace {

constexpr xcb_keysym_t kEscape = 0xff1b;
constexpr uint16_t kCrosshair = 34;  // in the font "cursor"; its mask comes after it
constexpr uint8_t kLeft = 1, kRight = 3;
// A menu or a hotkey may hold the pointer a moment longer.
constexpr int kHoldTries = 20, kHoldPauseMs = 50;
constexpr size_t kMostWindows = 4096;

xcb_cursor_t Crosshair(xcb_connection_t* connection) {
  const xcb_font_t font = xcb_generate_id(connection);
  const xcb_cursor_t cursor = xcb_generate_id(connection);
  xcb_open_font(connection, font, 6, "cursor");
  xcb_create_glyph_cursor(connection, cursor, font, font, kCrosshair, kCrosshair + 1, 0, 0, 0, 0xffff, 0xffff, 0xffff);
  xcb_close_font(connection, font);
  return cursor;
}

std::vector<xcb_keycode_t> KeysFor(xcb_connection_t* connection, xcb_keysym_t wanted) {
  const xcb_setup_t* setup = xcb_get_setup(connection);
  const int count = setup->max_keycode - setup->min_keycode + 1;
  Freed mapping(xcb_get_keyboard_mapping_reply(
      connection, xcb_get_keyboard_mapping(connection, setup->min_keycode, static_cast<uint8_t>(count)), nullptr));
  std::vector<xcb_keycode_t> keys;
  if (!mapping || mapping->keysyms_per_keycode == 0) return keys;
  const xcb_keysym_t* symbols = xcb_get_keyboard_mapping_keysyms(mapping.value);
  for (int i = 0; i < count; ++i) {
    if (symbols[i * mapping->keysyms_per_keycode] == wanted) {
      keys.push_back(static_cast<xcb_keycode_t>(setup->min_keycode + i));
    }
  }
  return keys;
}

bool IsClient(xcb_connection_t* connection, xcb_window_t window, xcb_atom_t state) {
  Freed property(
      xcb_get_property_reply(connection, xcb_get_property(connection, 0, window, state, XCB_ATOM_ANY, 0, 0), nullptr));
  return property && property->type != XCB_ATOM_NONE;
}

bool IsViewable(xcb_connection_t* connection, xcb_window_t window) {
  Freed attributes(xcb_get_window_attributes_reply(connection, xcb_get_window_attributes(connection, window), nullptr));
  return attributes && attributes->map_state == XCB_MAP_STATE_VIEWABLE;
}

// The program's window in a window manager's frame: WM_STATE marks it. Without one there is no frame.
xcb_window_t ClientIn(xcb_connection_t* connection, xcb_window_t frame) {
  Freed atom(xcb_intern_atom_reply(connection, xcb_intern_atom(connection, 1, 8, "WM_STATE"), nullptr));
  if (!atom || atom->atom == XCB_ATOM_NONE) return frame;
  std::vector<xcb_window_t> windows{frame};  // level by level
  for (size_t i = 0; i < windows.size(); ++i) {
    if (IsClient(connection, windows[i], atom->atom)) return windows[i];
    Freed tree(xcb_query_tree_reply(connection, xcb_query_tree(connection, windows[i]), nullptr));
    if (!tree) continue;
    const xcb_window_t* children = xcb_query_tree_children(tree.value);
    for (int n = 0; n < xcb_query_tree_children_length(tree.value) && windows.size() < kMostWindows; ++n) {
      if (IsViewable(connection, children[n])) windows.push_back(children[n]);
    }
  }
  return frame;
}

}  // namespace

Napi::Function X11Pick::Define(Napi::Env env) {
  return DefineClass(env, "X11Pick", {InstanceMethod<&X11Pick::CloseFromJs>("close")});
}

// new X11Pick(displayName, onEvent): posts "missed" for clicks beside any window, and at last one of
// "picked" (id), "cancelled", "busy" (somebody else holds the pointer) and "lost".
X11Pick::X11Pick(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  Napi::Env env = info.Env();
  const std::string name = info[0].As<Napi::String>().Utf8Value();
  int number = 0;
  connection_ = OpenX11(
      [&] {
        if (connection_) xcb_disconnect(connection_);
        return connection_ = xcb_connect(name.empty() ? nullptr : name.c_str(), &number);
      },
      [](xcb_connection_t* connection) { return !xcb_connection_has_error(connection); });
  if (xcb_connection_has_error(connection_)) {
    xcb_disconnect(connection_);
    connection_ = nullptr;
    Throw(env, "display", "cannot open X display \"" + name + "\"");
  }
  auto screens = xcb_setup_roots_iterator(xcb_get_setup(connection_));
  for (; screens.rem > 1 && number > 0; --number) xcb_screen_next(&screens);
  root_ = screens.data->root;
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  events_ = std::make_unique<EventChannel>(env, info[1].As<Napi::Function>(), "cap x11 pick", 64);
  thread_ = std::thread([this] { Run(); });
}

X11Pick::~X11Pick() { Close(); }

void X11Pick::CloseFromJs(const Napi::CallbackInfo&) { Close(); }

// The server lets go of the pointer and the key with the connection, however it ends.
void X11Pick::Close() {
  if (!thread_.joinable()) return;
  eventfd_write(wake_, 1);
  thread_.join();
  events_->Close();
  xcb_disconnect(connection_);
  close(wake_);
}

// False when woken to end.
bool X11Pick::Sleep(int timeout_ms) {
  pollfd fds[2] = {{wake_, POLLIN, 0}, {xcb_get_file_descriptor(connection_), POLLIN, 0}};
  poll(fds, 2, timeout_ms);
  return !fds[0].revents;
}

bool X11Pick::HoldPointer() {
  const xcb_cursor_t cursor = Crosshair(connection_);
  const uint16_t buttons = XCB_EVENT_MASK_BUTTON_PRESS | XCB_EVENT_MASK_BUTTON_RELEASE;
  for (int i = 0; i < kHoldTries; ++i) {
    Freed held(xcb_grab_pointer_reply(connection_,
                                      xcb_grab_pointer(connection_, 0, root_, buttons, XCB_GRAB_MODE_ASYNC,
                                                       XCB_GRAB_MODE_ASYNC, XCB_NONE, cursor, XCB_CURRENT_TIME),
                                      nullptr));
    if (held && held->status == XCB_GRAB_STATUS_SUCCESS) return true;
    if (!held || !Sleep(kHoldPauseMs)) return false;
  }
  return false;
}

// The button that counts was let go: so the window does not get half of the click. True when that ends it.
bool X11Pick::Released(xcb_window_t child) {
  const uint8_t button = button_;
  button_ = 0;
  if (button == kRight) {
    events_->Post({"cancelled", {}});
  } else if (child == XCB_NONE) {
    events_->Post({"missed", {}});
    return false;
  } else {
    events_->Post({"picked", {{"id", double(ClientIn(connection_, child))}}});
  }
  return true;
}

// Handles what has come; true when that ends it.
bool X11Pick::Drain() {
  while (xcb_generic_event_t* event = xcb_poll_for_event(connection_)) {
    const Freed owned(event);
    const uint8_t type = event->response_type & 0x7f;
    if (type == XCB_KEY_PRESS) {
      events_->Post({"cancelled", {}});
      return true;
    }
    const auto* button = reinterpret_cast<const xcb_button_press_event_t*>(event);
    if (type == XCB_BUTTON_PRESS && !button_ && (button->detail == kLeft || button->detail == kRight)) {
      button_ = button->detail;
      pressed_ = button->child;
    }
    if (type == XCB_BUTTON_RELEASE && button_ && button->detail == button_ && Released(pressed_)) return true;
  }
  return false;
}

void X11Pick::Run() {
  // Only this key is taken: Ctrl-C still reaches the terminal.
  for (xcb_keycode_t key : KeysFor(connection_, kEscape)) {
    xcb_grab_key(connection_, 0, root_, XCB_MOD_MASK_ANY, key, XCB_GRAB_MODE_ASYNC, XCB_GRAB_MODE_ASYNC);
  }
  bool done = !HoldPointer();
  if (done && !xcb_connection_has_error(connection_)) events_->Post({"busy", {}});
  if (!done) events_->Post({"ready", {}});
  while (!done && !xcb_connection_has_error(connection_)) {
    done = Drain() || xcb_connection_has_error(connection_) || !Sleep(-1);
  }
  if (xcb_connection_has_error(connection_)) {
    events_->Post({"lost", {}});
    return;
  }
  // At once, not when JavaScript gets round to it.
  xcb_ungrab_pointer(connection_, XCB_CURRENT_TIME);
  xcb_ungrab_key(connection_, XCB_GRAB_ANY, root_, XCB_MOD_MASK_ANY);
  xcb_flush(connection_);
}

}  // namespace cap
