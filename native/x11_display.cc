#include "x11_display.h"

#include <X11/Xatom.h>
#include <X11/Xlib.h>
#include <X11/Xutil.h>
#include <X11/extensions/Xrandr.h>

#include <memory>
#include <string>
#include <vector>

#include "failure.h"
#include "x11_grabber.h"
#include "x11_open.h"

namespace cap {

namespace {

constexpr unsigned kMaxWindows = 4096;

struct CloseDisplay {
  void operator()(Display* display) const { XCloseDisplay(display); }
};

int IgnoreError(Display*, XErrorEvent*) { return 0; }

void StayAlive(Display*, void*) {}

int IgnoreIoError(Display*) { return 0; }

std::string TextProperty(Display* display, Window window, Atom property) {
  XTextProperty text{};
  if (!XGetTextProperty(display, window, &text, property) || !text.value) return "";
  std::string value(reinterpret_cast<char*>(text.value), text.nitems);
  XFree(text.value);
  return value;
}

std::string TitleOf(Display* display, Window window) {
  std::string title = TextProperty(display, window, XInternAtom(display, "_NET_WM_NAME", False));
  return title.empty() ? TextProperty(display, window, XA_WM_NAME) : title;
}

std::string ClassOf(Display* display, Window window) {
  XClassHint hint{};
  if (!XGetClassHint(display, window, &hint)) return "";
  std::string name = hint.res_class ? hint.res_class : "";
  if (hint.res_name) XFree(hint.res_name);
  if (hint.res_class) XFree(hint.res_class);
  return name;
}

// Viewable windows that have a title, whether or not a window manager has put frames around them.
void CollectWindows(Display* display, Window parent, std::vector<Window>& out, int depth) {
  Window root, up, *children = nullptr;
  unsigned count = 0;
  if (depth > 4 || !XQueryTree(display, parent, &root, &up, &children, &count)) return;
  for (unsigned i = 0; i < count && out.size() < kMaxWindows; ++i) {
    XWindowAttributes attributes;
    if (!XGetWindowAttributes(display, children[i], &attributes) || attributes.map_state != IsViewable ||
        attributes.c_class != InputOutput) {
      continue;
    }
    if (TitleOf(display, children[i]).empty()) {
      CollectWindows(display, children[i], out, depth + 1);
    } else {
      out.push_back(children[i]);
    }
  }
  if (children) XFree(children);
}

Napi::Object Geometry(Napi::Env env, int x, int y, int width, int height) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("x", x);
  object.Set("y", y);
  object.Set("width", width);
  object.Set("height", height);
  return object;
}

Napi::Array Monitors(Napi::Env env, Display* display, Window root) {
  Napi::Array list = Napi::Array::New(env);
  int event, error, count = 0;
  if (!XRRQueryExtension(display, &event, &error)) return list;
  XRRMonitorInfo* monitors = XRRGetMonitors(display, root, True, &count);
  for (int i = 0; i < count; ++i) {
    Napi::Object item = Geometry(env, monitors[i].x, monitors[i].y, monitors[i].width, monitors[i].height);
    char* name = XGetAtomName(display, monitors[i].name);
    item.Set("name", name ? name : "");
    item.Set("primary", monitors[i].primary != 0);
    if (name) XFree(name);
    list.Set(static_cast<uint32_t>(i), item);
  }
  if (monitors) XRRFreeMonitors(monitors);
  return list;
}

// A window that is shown, or null.
Napi::Value Describe(Napi::Env env, Display* display, Window window) {
  XWindowAttributes attributes;
  if (!XGetWindowAttributes(display, window, &attributes) || attributes.map_state != IsViewable ||
      attributes.c_class != InputOutput || window == attributes.root) {
    return env.Null();
  }
  int x = 0, y = 0;
  Window child;
  XTranslateCoordinates(display, window, attributes.root, 0, 0, &x, &y, &child);
  Napi::Object item = Geometry(env, x, y, attributes.width, attributes.height);
  item.Set("id", static_cast<double>(window));
  item.Set("title", TitleOf(display, window));
  item.Set("className", ClassOf(display, window));
  return item;
}

Napi::Array Windows(Napi::Env env, Display* display, Window root) {
  std::vector<Window> windows;
  CollectWindows(display, root, windows, 0);
  Napi::Array list = Napi::Array::New(env);
  uint32_t at = 0;
  for (Window window : windows) {
    const Napi::Value item = Describe(env, display, window);
    if (!item.IsNull()) list.Set(at++, item);
  }
  return list;
}

using OwnedDisplay = std::unique_ptr<Display, CloseDisplay>;

OwnedDisplay OpenOrThrow(Napi::Env env, const std::string& name) {
  OwnedDisplay display(OpenDisplay(name));
  if (!display) Throw(env, "display", "cannot open X display \"" + std::string(XDisplayName(name.c_str())) + "\"");
  return display;
}

}  // namespace

void SurviveX11Errors() {
  XInitThreads();
  XSetErrorHandler(IgnoreError);
  XSetIOErrorHandler(IgnoreIoError);
}

Display* OpenDisplay(const std::string& name) {
  Display* display = OpenX11([&] { return XOpenDisplay(name.empty() ? nullptr : name.c_str()); },
                             [](Display* opened) { return opened != nullptr; });
  if (display) XSetIOErrorExitHandler(display, StayAlive, nullptr);
  return display;
}

Napi::Value DescribeDisplay(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  const OwnedDisplay display = OpenOrThrow(env, info[0].As<Napi::String>().Utf8Value());
  const Window root = DefaultRootWindow(display.get());
  XWindowAttributes attributes;
  XGetWindowAttributes(display.get(), root, &attributes);
  Napi::Object object = Geometry(env, 0, 0, attributes.width, attributes.height);
  object.Set("monitors", Monitors(env, display.get(), root));
  object.Set("windows", Windows(env, display.get(), root));
  return object;
}

Napi::Value DescribeWindow(const Napi::CallbackInfo& info) {
  const OwnedDisplay display = OpenOrThrow(info.Env(), info[0].As<Napi::String>().Utf8Value());
  return Describe(info.Env(), display.get(), static_cast<Window>(info[1].As<Napi::Number>().Uint32Value()));
}

Napi::Value DescribeCapture(const Napi::CallbackInfo& info) {
  X11Grabber::Options options;
  options.display = info[0].As<Napi::String>().Utf8Value();
  options.window = info[1].As<Napi::Number>().Uint32Value();
  std::string reason;
  const auto grabber = X11Grabber::Open(options, reason);
  if (!grabber) Throw(info.Env(), "x11-source", reason);
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("tellsDamage", grabber->tells_damage());
  object.Set("lacks", grabber->lacks());
  return object;
}

}  // namespace cap
