#include "x11_source.h"

#include "live_source.h"
#include "x11_capture.h"

namespace cap {

namespace {

struct Source {
  LiveSource parent;
};

struct SourceClass {
  LiveSourceClass parent_class;
};

enum { kPropDisplay = 1, kPropX, kPropY, kPropWidth, kPropHeight, kPropWindow, kPropCursor };

G_DEFINE_TYPE(Source, source, live_source_get_type())

void SetProperty(GObject* object, guint id, const GValue* value, GParamSpec*) {
  X11Grabber::Options& options = static_cast<X11Capture*>(reinterpret_cast<Source*>(object)->parent.capture)->options;
  switch (id) {
    case kPropDisplay:
      options.display = g_value_get_string(value) ? g_value_get_string(value) : "";
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
    case kPropWindow:
      options.window = g_value_get_uint(value);
      break;
    case kPropCursor:
      options.cursor = g_value_get_boolean(value);
      break;
  }
}

void InstallProperties(GObjectClass* object) {
  const auto flags = static_cast<GParamFlags>(G_PARAM_WRITABLE | G_PARAM_STATIC_STRINGS);
  auto number = [&](guint id, const char* name) {
    g_object_class_install_property(object, id, g_param_spec_int(name, "", "Of the region", 0, 32767, 0, flags));
  };
  g_object_class_install_property(object, kPropDisplay,
                                  g_param_spec_string("display-name", "", "X display", "", flags));
  number(kPropX, "x");
  number(kPropY, "y");
  number(kPropWidth, "width");
  number(kPropHeight, "height");
  g_object_class_install_property(
      object, kPropWindow, g_param_spec_uint("xid", "", "A window, instead of the screen", 0, G_MAXUINT, 0, flags));
  g_object_class_install_property(object, kPropCursor,
                                  g_param_spec_boolean("show-pointer", "", "Draw the cursor", TRUE, flags));
}

void source_class_init(SourceClass* klass) {
  auto* object = G_OBJECT_CLASS(klass);
  object->set_property = SetProperty;
  InstallProperties(object);
  gst_element_class_set_static_metadata(GST_ELEMENT_CLASS(klass), "cap X11 source", "Source/Video",
                                        "Captures an X11 screen when it changes", "cap-gateway");
}

void source_init(Source* self) { self->parent.capture = new X11Capture(); }

}  // namespace

void RegisterX11Source() { gst_element_register(nullptr, "capx11src", GST_RANK_NONE, source_get_type()); }

}  // namespace cap
