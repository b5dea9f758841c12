#include "wayland_source.h"

#include "screen_source.h"
#include "wayland_grabber.h"

namespace cap {

namespace {

struct WaylandSource {
  ScreenSource parent;
  WaylandGrabber::Options* options;
};

struct WaylandSourceClass {
  ScreenSourceClass parent_class;
};

enum { kPropDisplay = 1, kPropOutput, kPropToplevel, kPropX, kPropY, kPropWidth, kPropHeight, kPropCursor };

G_DEFINE_TYPE(WaylandSource, wayland_source, screen_source_get_type())

WaylandGrabber::Options& OptionsOf(void* self) { return *reinterpret_cast<WaylandSource*>(self)->options; }

std::unique_ptr<ScreenGrabber> Open(ScreenSource* self, std::string& reason) {
  return WaylandGrabber::Open(OptionsOf(self), reason);
}

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec*) {
  WaylandGrabber::Options& options = OptionsOf(object);
  auto text = [&] { return g_value_get_string(value) ? g_value_get_string(value) : ""; };
  switch (id) {
    case kPropDisplay:
      options.display = text();
      break;
    case kPropOutput:
      options.output = text();
      break;
    case kPropToplevel:
      options.toplevel = text();
      break;
    case kPropX:
      options.area.x = g_value_get_int(value);
      break;
    case kPropY:
      options.area.y = g_value_get_int(value);
      break;
    case kPropWidth:
      options.area.width = g_value_get_int(value);
      break;
    case kPropHeight:
      options.area.height = g_value_get_int(value);
      break;
    case kPropCursor:
      options.cursor = g_value_get_boolean(value);
      break;
  }
}

void Finalize(GObject* object) {
  delete reinterpret_cast<WaylandSource*>(object)->options;
  G_OBJECT_CLASS(wayland_source_parent_class)->finalize(object);
}

void InstallProperties(GObjectClass* object) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  auto text = [&](guint id, const char* name, const char* blurb) {
    g_object_class_install_property(object, id, g_param_spec_string(name, "", blurb, "", flags));
  };
  auto number = [&](guint id, const char* name) {
    g_object_class_install_property(object, id, g_param_spec_int(name, "", "Of the region", 0, 32767, 0, flags));
  };
  text(kPropDisplay, "display-name", "Wayland socket");
  text(kPropOutput, "output", "Name of the monitor");
  text(kPropToplevel, "toplevel", "Identifier of a window, instead of a monitor");
  number(kPropX, "x");
  number(kPropY, "y");
  number(kPropWidth, "width");
  number(kPropHeight, "height");
  g_object_class_install_property(object, kPropCursor,
                                  g_param_spec_boolean("show-pointer", "", "Draw the cursor", TRUE, flags));
}

void wayland_source_class_init(WaylandSourceClass* klass) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = SetProperty;
  object->finalize = Finalize;
  InstallProperties(object);
  klass->parent_class.open = Open;
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "cap Wayland source", "Source/Video",
                                        "Captures a Wayland output or window when it changes", "cap-gateway");
}

void wayland_source_init(WaylandSource* self) { self->options = new WaylandGrabber::Options(); }

}  // namespace

void RegisterWaylandSource() {
  gst_element_register(nullptr, "capwaylandsrc", GST_RANK_NONE, wayland_source_get_type());
}

}  // namespace cap
