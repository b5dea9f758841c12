#include "portal_handshake.h"

#include <gio/gunixfdlist.h>
#include <unistd.h>

namespace cap {

namespace {

constexpr char kScreenCast[] = "org.freedesktop.portal.ScreenCast";
// The first call may have to start the portal.
constexpr unsigned kStepMs = 15000;
constexpr unsigned kConsentMs = 120000;
constexpr unsigned kUntilRevoked = 2;  // how long a token lasts

unsigned LookUp(GVariant* dictionary, const char* name) {
  guint32 value = 0;
  g_variant_lookup(dictionary, name, "u", &value);
  return value;
}

std::string LookUpText(GVariant* dictionary, const char* name) {
  const gchar* value = nullptr;
  return g_variant_lookup(dictionary, name, "&s", &value) ? value : "";
}

}  // namespace

PortalHandshake::~PortalHandshake() {
  if (remote_ >= 0) close(remote_);
}

void PortalHandshake::OnFailed(const Failure& failure) {
  if (started_) {
    listener_.ended(failure.message);
  } else {
    listener_.failed(failure);
  }
}

void PortalHandshake::OnConnected() {
  LimitStep(kStepMs, {"portal", "the desktop portal does not answer"});
  Call("org.freedesktop.DBus.Properties", "GetAll", g_variant_new("(s)", kScreenCast),
       [this](GVariant* reply, GUnixFDList*) {
         GVariant* properties = g_variant_get_child_value(reply, 0);
         const Abilities abilities{LookUp(properties, "version"), LookUp(properties, "AvailableSourceTypes"),
                                   LookUp(properties, "AvailableCursorModes")};
         g_variant_unref(properties);
         LimitStep(0, {});
         WatchPortal();
         listener_.ready(abilities);
       });
}

void PortalHandshake::Start(const Choice& choice) {
  if (over()) return listener_.failed({"portal", "the desktop portal is gone"});
  auto arguments = [](GVariantBuilder* options) {
    g_variant_builder_add(options, "{sv}", "session_handle_token", g_variant_new_string("cap"));
    return g_variant_new("(a{sv})", options);
  };
  auto next = [this, choice](GVariant* results) {
    const std::string path = LookUpText(results, "session_handle");
    if (!g_variant_is_object_path(path.c_str())) return Fail({"portal", "the desktop portal named no session"});
    WatchSession(path);
    SelectSources(choice);
  };
  Request("CreateSession", arguments, kStepMs, {"portal", "the desktop portal makes no session"}, next);
}

void PortalHandshake::SelectSources(const Choice& choice) {
  auto arguments = [this, choice](GVariantBuilder* options) {
    g_variant_builder_add(options, "{sv}", "types", g_variant_new_uint32(choice.source_types));
    g_variant_builder_add(options, "{sv}", "multiple", g_variant_new_boolean(FALSE));
    if (choice.cursor_mode)
      g_variant_builder_add(options, "{sv}", "cursor_mode", g_variant_new_uint32(choice.cursor_mode));
    if (choice.persistent) {
      g_variant_builder_add(options, "{sv}", "persist_mode", g_variant_new_uint32(kUntilRevoked));
      if (!choice.restore_token.empty()) {
        g_variant_builder_add(options, "{sv}", "restore_token", g_variant_new_string(choice.restore_token.c_str()));
      }
    }
    return g_variant_new("(oa{sv})", session().c_str(), options);
  };
  Request("SelectSources", arguments, kStepMs, {"portal", "the desktop portal takes no choice of sources"},
          [this](GVariant*) { Begin(); });
}

void PortalHandshake::Begin() {
  auto arguments = [this](GVariantBuilder* options) {
    return g_variant_new("(osa{sv})", session().c_str(), "", options);
  };
  Request("Start", arguments, kConsentMs, {"portal-refused", "nobody answered the desktop's dialog in two minutes"},
          [this](GVariant* results) { TakeStream(results); });
}

void PortalHandshake::TakeStream(GVariant* results) {
  GVariant* streams = g_variant_lookup_value(results, "streams", G_VARIANT_TYPE("a(ua{sv})"));
  if (!streams || g_variant_n_children(streams) == 0) {
    if (streams) g_variant_unref(streams);
    return Fail({"portal", "the desktop portal started nothing"});
  }
  Stream stream;
  guint32 node;
  GVariant* properties;
  g_variant_get_child(streams, 0, "(u@a{sv})", &node, &properties);
  stream.node = node;
  stream.source_type = LookUp(properties, "source_type");
  g_variant_lookup(properties, "size", "(ii)", &stream.width, &stream.height);
  stream.restore_token = LookUpText(results, "restore_token");
  g_variant_unref(properties);
  g_variant_unref(streams);
  OpenRemote(stream);
}

void PortalHandshake::OpenRemote(const Stream& stream) {
  LimitStep(kStepMs, {"portal", "the desktop portal opens no way to PipeWire"});
  GVariantBuilder options;
  g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
  Call(kScreenCast, "OpenPipeWireRemote", g_variant_new("(oa{sv})", session().c_str(), &options),
       [this, stream](GVariant* reply, GUnixFDList* fds) {
         LimitStep(0, {});
         gint32 index = -1;
         if (g_variant_is_of_type(reply, G_VARIANT_TYPE("(h)"))) g_variant_get(reply, "(h)", &index);
         remote_ =
             fds && index >= 0 && index < g_unix_fd_list_get_length(fds) ? g_unix_fd_list_get(fds, index, nullptr) : -1;
         if (remote_ < 0) return Fail({"portal", "the desktop portal opens no way to PipeWire"});
         started_ = true;
         listener_.started(stream);
       });
}

}  // namespace cap
