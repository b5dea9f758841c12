#include "devices.h"

#include <gst/gst.h>

#include <memory>
#include <string>

#include "event_channel.h"

namespace cap {

namespace {

// What device providers call the name under which a device is opened: V4L2, PipeWire, PulseAudio, ALSA.
constexpr const char* kPathNames[] = {"device.path", "api.v4l2.path", "node.name", "device.string"};

std::string PathOf(GstDevice* device) {
  std::string path;
  GstStructure* properties = gst_device_get_properties(device);
  if (!properties) return path;
  for (const char* name : kPathNames) {
    const char* value = gst_structure_get_string(properties, name);
    if (path.empty() && value) path = value;
  }
  gst_structure_free(properties);
  return path;
}

void PostDevice(EventChannel& events, GstDevice* device) {
  gchar* name = gst_device_get_display_name(device);
  gchar* device_class = gst_device_get_device_class(device);
  events.Post(
      {"device", {{"class", std::string(device_class)}, {"name", std::string(name)}, {"path", PathOf(device)}}});
  g_free(name);
  g_free(device_class);
}

gpointer List(gpointer data) {
  std::unique_ptr<std::shared_ptr<EventChannel>> events(static_cast<std::shared_ptr<EventChannel>*>(data));
  GstDeviceMonitor* monitor = gst_device_monitor_new();
  gst_device_monitor_add_filter(monitor, "Video/Source", nullptr);
  if (gst_device_monitor_start(monitor)) {
    GList* devices = gst_device_monitor_get_devices(monitor);
    for (GList* item = devices; item; item = item->next) PostDevice(**events, GST_DEVICE(item->data));
    g_list_free_full(devices, gst_object_unref);
    gst_device_monitor_stop(monitor);
  }
  gst_object_unref(monitor);
  (*events)->Post({"done", {}});
  return nullptr;
}

}  // namespace

void ListDevices(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  // The thread has the only reference when this returns; what it posted is delivered before the channel goes.
  auto events = std::make_shared<EventChannel>(env, info[0].As<Napi::Function>(), "cap devices", 1024);
  g_thread_unref(g_thread_new("cap-devices", List, new std::shared_ptr<EventChannel>(events)));
}

}  // namespace cap
