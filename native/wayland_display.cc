#include "wayland_display.h"

#include <string>

#include "failure.h"
#include "wayland_connection.h"
#include "wayland_grabber.h"

namespace cap {

namespace {

Napi::Array Monitors(Napi::Env env, const WaylandConnection& connection) {
  Napi::Array list = Napi::Array::New(env);
  uint32_t at = 0;
  for (const WaylandOutput& output : connection.outputs()) {
    const Rect size = Orientation::FromTransform(output.transform).Upright(output.width, output.height);
    Napi::Object item = Napi::Object::New(env);
    item.Set("name", output.name);
    item.Set("description", output.description);
    item.Set("x", output.x);
    item.Set("y", output.y);
    item.Set("width", size.width);
    item.Set("height", size.height);
    list.Set(at++, item);
  }
  return list;
}

Napi::Array Windows(Napi::Env env, const WaylandConnection& connection) {
  Napi::Array list = Napi::Array::New(env);
  uint32_t at = 0;
  for (const WaylandToplevel& toplevel : connection.toplevels()) {
    if (toplevel.closed) continue;
    Napi::Object item = Napi::Object::New(env);
    item.Set("id", toplevel.identifier);
    item.Set("title", toplevel.title);
    item.Set("className", toplevel.app_id);
    list.Set(at++, item);
  }
  return list;
}

}  // namespace

Napi::Value DescribeWayland(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string reason;
  const auto connection = WaylandConnection::Open(info[0].As<Napi::String>().Utf8Value(), reason);
  if (!connection) Throw(env, "wayland", reason);
  Napi::Object object = Napi::Object::New(env);
  object.Set("monitors", Monitors(env, *connection));
  object.Set("windows", Windows(env, *connection));
  object.Set("capturesMonitors", connection->CanCopyOutputs());
  object.Set("capturesWindows", connection->CanCopyToplevels());
  return object;
}

Napi::Value SizeOfWayland(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  WaylandGrabber::Options options;
  options.display = info[0].As<Napi::String>().Utf8Value();
  options.output = info[1].As<Napi::String>().Utf8Value();
  options.toplevel = info[2].As<Napi::String>().Utf8Value();
  std::string reason;
  const auto grabber = WaylandGrabber::Open(options, reason);
  if (!grabber) Throw(env, "wayland-source", reason);
  Napi::Object size = Napi::Object::New(env);
  size.Set("width", grabber->width());
  size.Set("height", grabber->height());
  return size;
}

}  // namespace cap
