#include "portal_bus.h"

#include <gio/gunixfdlist.h>

#include <algorithm>
#include <utility>

#include "main_loop.h"

namespace cap {

namespace {

constexpr char kName[] = "org.freedesktop.portal.Desktop";
constexpr char kPath[] = "/org/freedesktop/portal/desktop";
constexpr char kScreenCast[] = "org.freedesktop.portal.ScreenCast";
constexpr char kRequest[] = "org.freedesktop.portal.Request";
constexpr char kSession[] = "org.freedesktop.portal.Session";
// The first call may have to start the portal.
constexpr int kCallMs = 15000;

using Shared = std::shared_ptr<PortalBus>;

// GDBus callbacks hold the bus weakly: one that was closed is not told.
gpointer Weak(const Shared& self) { return new std::weak_ptr<PortalBus>(self); }
void FreeWeak(gpointer data) { delete static_cast<std::weak_ptr<PortalBus>*>(data); }
Shared Lock(gpointer data) { return static_cast<std::weak_ptr<PortalBus>*>(data)->lock(); }

}  // namespace

PortalBus::~PortalBus() { g_object_unref(cancel_); }

void PortalBus::Connect() {
  LimitStep(kCallMs, {"dbus", "the D-Bus session does not answer"});
  const auto flags = static_cast<GDBusConnectionFlags>(G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                                                       G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION);
  g_dbus_connection_new_for_address(
      address_.c_str(), flags, nullptr, cancel_,
      [](GObject*, GAsyncResult* result, gpointer data) {
        std::unique_ptr<Shared> self(static_cast<Shared*>(data));
        GError* error = nullptr;
        GDBusConnection* connection = g_dbus_connection_new_for_address_finish(result, &error);
        (*self)->Connected(connection, error);
      },
      new Shared(shared_from_this()));
}

void PortalBus::Connected(GDBusConnection* connection, GError* error) {
  if (!connection) {
    if (!over_) Fail({"dbus", std::string("the D-Bus session cannot be reached: ") + error->message});
    g_error_free(error);
    return;
  }
  if (over_) return g_object_unref(connection);
  connection_ = connection;
  g_dbus_connection_set_exit_on_close(connection_, FALSE);
  OnConnected();
}

void PortalBus::WatchPortal() {
  name_watch_ = g_bus_watch_name_on_connection(
      connection_, kName, G_BUS_NAME_WATCHER_FLAGS_NONE, nullptr,
      [](GDBusConnection*, const gchar*, gpointer data) {
        if (Shared self = Lock(data)) self->Fail({"portal", "the desktop portal is gone"});
      },
      Weak(shared_from_this()), FreeWeak);
  bus_closed_ = g_signal_connect_data(
      connection_, "closed", G_CALLBACK(+[](GDBusConnection*, gboolean, GError*, gpointer data) {
        if (Shared self = Lock(data)) self->Fail({"dbus", "the D-Bus session is gone"});
      }),
      Weak(shared_from_this()), [](gpointer data, GClosure*) { FreeWeak(data); }, static_cast<GConnectFlags>(0));
}

void PortalBus::WatchSession(const std::string& path) {
  session_ = path;
  closed_signal_ = g_dbus_connection_signal_subscribe(
      connection_, kName, kSession, "Closed", path.c_str(), nullptr, G_DBUS_SIGNAL_FLAGS_NONE,
      [](GDBusConnection*, const gchar*, const gchar*, const gchar*, const gchar*, GVariant*, gpointer data) {
        if (Shared self = Lock(data)) self->Fail({"portal", "the desktop ended the sharing of its screen"});
      },
      Weak(shared_from_this()), FreeWeak);
}

void PortalBus::Call(const char* interface, const char* method, GVariant* arguments, Reply reply) {
  struct Pending {
    Shared self;
    Reply reply;
  };
  g_dbus_connection_call_with_unix_fd_list(
      connection_, kName, kPath, interface, method, arguments, nullptr, G_DBUS_CALL_FLAGS_NONE, kCallMs, nullptr,
      cancel_,
      [](GObject* connection, GAsyncResult* result, gpointer data) {
        std::unique_ptr<Pending> pending(static_cast<Pending*>(data));
        GError* error = nullptr;
        GUnixFDList* fds = nullptr;
        GVariant* value =
            g_dbus_connection_call_with_unix_fd_list_finish(G_DBUS_CONNECTION(connection), &fds, result, &error);
        if (!value) {
          pending->self->FailWith(error);
        } else {
          if (!pending->self->over_) pending->reply(value, fds);
          g_variant_unref(value);
        }
        g_clear_object(&fds);
      },
      new Pending{shared_from_this(), std::move(reply)});
}

void PortalBus::Request(const char* method, const Arguments& arguments, unsigned limit_ms, Failure too_late,
                        Results next) {
  const std::string token = "cap" + std::to_string(++requests_);
  std::string sender = g_dbus_connection_get_unique_name(connection_) + 1;  // without the colon
  std::replace(sender.begin(), sender.end(), '.', '_');
  request_ = std::string(kPath) + "/request/" + sender + "/" + token;
  next_ = std::move(next);
  // Before the call: the answer may come at once.
  response_signal_ = g_dbus_connection_signal_subscribe(
      connection_, kName, kRequest, "Response", request_.c_str(), nullptr, G_DBUS_SIGNAL_FLAGS_NONE,
      [](GDBusConnection*, const gchar*, const gchar*, const gchar*, const gchar*, GVariant* response, gpointer data) {
        if (Shared self = Lock(data)) self->Respond(response);
      },
      Weak(shared_from_this()), FreeWeak);
  LimitStep(limit_ms, std::move(too_late));
  GVariantBuilder options;
  g_variant_builder_init(&options, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&options, "{sv}", "handle_token", g_variant_new_string(token.c_str()));
  Call(kScreenCast, method, arguments(&options), [](GVariant*, GUnixFDList*) {});
}

void PortalBus::Respond(GVariant* response) {
  if (over_ || !next_ || !g_variant_is_of_type(response, G_VARIANT_TYPE("(ua{sv})"))) return;
  EndRequest();
  LimitStep(0, {});
  guint32 code;
  GVariant* results;
  g_variant_get(response, "(u@a{sv})", &code, &results);
  const Results next = std::exchange(next_, nullptr);
  if (code == 0) {
    next(results);
  } else if (code == 1) {
    Fail({"portal-refused", "the sharing of the screen was refused"});
  } else {
    Fail({"portal", "the desktop portal could not share the screen"});
  }
  g_variant_unref(results);
}

void PortalBus::EndRequest() {
  request_.clear();
  if (response_signal_) g_dbus_connection_signal_unsubscribe(connection_, std::exchange(response_signal_, 0));
}

void PortalBus::LimitStep(unsigned limit_ms, Failure too_late) {
  if (limit_) {
    g_source_destroy(limit_);
    g_source_unref(limit_);
    limit_ = nullptr;
  }
  if (limit_ms == 0) return;
  std::weak_ptr<PortalBus> weak = shared_from_this();
  limit_ = MainLoop::Get().Every(limit_ms, [weak, too_late = std::move(too_late)] {
    if (Shared self = weak.lock()) self->Fail(too_late);
  });
}

// Calls an object's method Close, without waiting for an answer.
void PortalBus::Tell(const std::string& path, const char* interface) {
  g_dbus_connection_call(connection_, kName, path.c_str(), interface, "Close", nullptr, nullptr,
                         G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, nullptr, nullptr, nullptr);
}

void PortalBus::Fail(const Failure& failure) {
  if (over_) return;
  const Failure kept = failure;  // what closing lets go of may hold it
  Close(nullptr);
  OnFailed(kept);
}

void PortalBus::FailWith(GError* error) {
  if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)) {
    Fail({"portal", "there is no desktop portal"});
  } else if (g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_INTERFACE) ||
             g_error_matches(error, G_DBUS_ERROR, G_DBUS_ERROR_INVALID_ARGS)) {
    Fail({"portal", "the desktop portal does not share screens"});
  } else if (!g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_dbus_error_strip_remote_error(error);
    Fail({"portal", std::string("the desktop portal: ") + error->message});
  }
  g_error_free(error);
}

void PortalBus::Close(std::function<void()> done) {
  if (!done) done = [] {};
  if (std::exchange(over_, true)) return done();
  LimitStep(0, {});
  g_cancellable_cancel(cancel_);
  next_ = nullptr;
  if (!connection_) return done();
  if (name_watch_) g_bus_unwatch_name(std::exchange(name_watch_, 0));
  if (bus_closed_) g_signal_handler_disconnect(connection_, std::exchange(bus_closed_, 0));
  if (closed_signal_) g_dbus_connection_signal_unsubscribe(connection_, std::exchange(closed_signal_, 0));
  if (!request_.empty()) Tell(request_, kRequest);
  if (!session_.empty()) Tell(session_, kSession);
  EndRequest();
  GDBusConnection* connection = std::exchange(connection_, nullptr);
  g_dbus_connection_flush(
      connection, nullptr,
      [](GObject* object, GAsyncResult* result, gpointer data) {
        std::unique_ptr<std::function<void()>> told(static_cast<std::function<void()>*>(data));
        g_dbus_connection_flush_finish(G_DBUS_CONNECTION(object), result, nullptr);
        g_dbus_connection_close(G_DBUS_CONNECTION(object), nullptr, nullptr, nullptr);
        g_object_unref(object);
        (*told)();
      },
      new std::function<void()>(std::move(done)));
}

}  // namespace cap
