// backend WIDTH HEIGHT: a desktop of which the portal shares the screen. Prints "ready NODE" once its name is on
// the D-Bus session and PipeWire shows the screen, then obeys the lines of its standard input, each answered by a
// line "ok" and its number. What the portal asks for is printed as lines that begin with "asked".
#include <gio/gio.h>
#include <glib-unix.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "screen.h"

#define NAME "org.freedesktop.impl.portal.desktop.captest"

static const char introspection[] =
    "<node>"
    "<interface name='org.freedesktop.impl.portal.ScreenCast'>"
    "<method name='CreateSession'><arg type='o' direction='in'/><arg type='o' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='a{sv}' direction='in'/>"
    "<arg type='u' direction='out'/><arg type='a{sv}' direction='out'/></method>"
    "<method name='SelectSources'><arg type='o' direction='in'/><arg type='o' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='a{sv}' direction='in'/>"
    "<arg type='u' direction='out'/><arg type='a{sv}' direction='out'/></method>"
    "<method name='Start'><arg type='o' direction='in'/><arg type='o' direction='in'/>"
    "<arg type='s' direction='in'/><arg type='s' direction='in'/><arg type='a{sv}' direction='in'/>"
    "<arg type='u' direction='out'/><arg type='a{sv}' direction='out'/></method>"
    "<property name='AvailableSourceTypes' type='u' access='read'/>"
    "<property name='AvailableCursorModes' type='u' access='read'/>"
    "<property name='version' type='u' access='read'/>"
    "</interface>"
    "<interface name='org.freedesktop.impl.portal.Session'><method name='Close'/><signal name='Closed'/>"
    "<property name='version' type='u' access='read'/></interface>"
    "<interface name='org.freedesktop.impl.portal.Request'><method name='Close'/></interface>"
    "</node>";

static GDBusNodeInfo *node_info;
static GDBusConnection *bus;
static char *session;
static guint session_object, request_object;
static enum { ACCEPT, CANCEL, WAIT } answer;
static GDBusMethodInvocation *waiting;
static guint source_types = 3, cursor_modes = 3, version = 4;
static uint32_t node;
static bool persists;

static void say(const char *line) {
  printf("%s\n", line);
  fflush(stdout);
}

static void respond(GDBusMethodInvocation *call, guint code, GVariantBuilder *results) {
  GVariantBuilder nothing;
  g_variant_builder_init(&nothing, G_VARIANT_TYPE_VARDICT);
  g_dbus_method_invocation_return_value(call, g_variant_new("(ua{sv})", code, results ? results : &nothing));
}

static void respond_with_stream(GDBusMethodInvocation *call) {
  GVariantBuilder results, streams, properties;
  g_variant_builder_init(&properties, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&properties, "{sv}", "size", g_variant_new("(ii)", screen.width, screen.height));
  g_variant_builder_add(&properties, "{sv}", "source_type", g_variant_new_uint32(1));
  g_variant_builder_init(&streams, G_VARIANT_TYPE("a(ua{sv})"));
  g_variant_builder_add(&streams, "(ua{sv})", node, &properties);
  g_variant_builder_init(&results, G_VARIANT_TYPE_VARDICT);
  g_variant_builder_add(&results, "{sv}", "streams", g_variant_builder_end(&streams));
  if (persists) {
    g_variant_builder_add(&results, "{sv}", "persist_mode", g_variant_new_uint32(2));
    GVariant *data = g_variant_new("(suv)", "captest", 1, g_variant_new_string("monitor TEST-1"));
    g_variant_builder_add(&results, "{sv}", "restore_data", data);
  }
  respond(call, 0, &results);
}

// --- the request and the session of the moment

static void close_called(GDBusConnection *connection, const gchar *sender, const gchar *path, const gchar *interface,
                         const gchar *method, GVariant *arguments, GDBusMethodInvocation *call, gpointer data) {
  (void)connection, (void)sender, (void)path, (void)method, (void)arguments, (void)data;
  const bool of_request = g_str_has_suffix(interface, "Request");
  say(of_request ? "asked close-request" : "asked close-session");
  g_dbus_method_invocation_return_value(call, NULL);
  if (of_request && waiting) respond(g_steal_pointer(&waiting), 2, NULL);
  if (!of_request) g_dbus_connection_unregister_object(bus, session_object);
}

static GVariant *session_property(GDBusConnection *connection, const gchar *sender, const gchar *path,
                                  const gchar *interface, const gchar *name, GError **error, gpointer data) {
  (void)connection, (void)sender, (void)path, (void)interface, (void)name, (void)error, (void)data;
  return g_variant_new_uint32(1);
}

static const GDBusInterfaceVTable closable = {.method_call = close_called, .get_property = session_property};

static guint export(const char *path, const char *interface) {
  GDBusInterfaceInfo *info = g_dbus_node_info_lookup_interface(node_info, interface);
  return g_dbus_connection_register_object(bus, path, info, &closable, NULL, NULL, NULL);
}

// --- org.freedesktop.impl.portal.ScreenCast

static void select_sources(GVariant *options) {
  guint32 types = 0, cursor = 0, persist = 0;
  g_variant_lookup(options, "types", "u", &types);
  g_variant_lookup(options, "cursor_mode", "u", &cursor);
  persists = g_variant_lookup(options, "persist_mode", "u", &persist) && persist == 2;
  GVariant *data = g_variant_lookup_value(options, "restore_data", G_VARIANT_TYPE("(suv)"));
  printf("asked sources types=%u cursor=%u persist=%u restored=%d\n", types, cursor, persist, data != NULL);
  fflush(stdout);
  if (data) g_variant_unref(data);
}

static void start(GVariant *arguments, GDBusMethodInvocation *call) {
  say("asked start");
  if (answer == ACCEPT) {
    respond_with_stream(call);
  } else if (answer == CANCEL) {
    respond(call, 1, NULL);
  } else {
    const gchar *handle;
    g_variant_get_child(arguments, 0, "&o", &handle);
    request_object = export(handle, "org.freedesktop.impl.portal.Request");
    waiting = call;
  }
}

static void called(GDBusConnection *connection, const gchar *sender, const gchar *path, const gchar *interface,
                   const gchar *method, GVariant *arguments, GDBusMethodInvocation *call, gpointer data) {
  (void)connection, (void)sender, (void)path, (void)interface, (void)data;
  if (strcmp(method, "CreateSession") == 0) {
    g_free(session);
    g_variant_get_child(arguments, 1, "o", &session);
    session_object = export(session, "org.freedesktop.impl.portal.Session");
    respond(call, 0, NULL);
  } else if (strcmp(method, "SelectSources") == 0) {
    GVariant *options = g_variant_get_child_value(arguments, 3);
    select_sources(options);
    g_variant_unref(options);
    respond(call, 0, NULL);
  } else {
    start(arguments, call);
  }
}

static GVariant *property(GDBusConnection *connection, const gchar *sender, const gchar *path, const gchar *interface,
                          const gchar *name, GError **error, gpointer data) {
  (void)connection, (void)sender, (void)path, (void)interface, (void)error, (void)data;
  const bool types = strcmp(name, "AvailableSourceTypes") == 0;
  return g_variant_new_uint32(strcmp(name, "version") == 0 ? version : types ? source_types : cursor_modes);
}

static const GDBusInterfaceVTable screen_cast = {.method_call = called, .get_property = property};

// --- orders

static bool obey(const char *line) {
  int a, b, c, d;
  unsigned number;
  if (sscanf(line, "picture %d %d %u", &a, &b, &number) == 3) {
    screen_fill(a, b, number);
  } else if (sscanf(line, "rect %d %d %d %d %x", &a, &b, &c, &d, &number) == 5) {
    screen_paint((Area){a, b, c, d}, number);
  } else if (sscanf(line, "format %u", &screen.format) == 1 || sscanf(line, "transform %d", &screen.transform) == 1 ||
             sscanf(line, "margin %d", &screen.margin) == 1) {
    screen_reconfigure();
  } else if (sscanf(line, "memory %u", &number) == 1) {
    screen.memory = number;
    screen_reconfigure();
  } else if (sscanf(line, "tells-damage %d", &a) == 1) {
    screen.tells_damage = a;
    screen_reconfigure();
  } else if (strcmp(line, "empty") == 0) {
    screen_send_empty();
  } else if (strcmp(line, "hide") == 0) {
    screen_hide();
  } else if (strcmp(line, "answer accept") == 0) {
    answer = ACCEPT;
    if (waiting) respond_with_stream(g_steal_pointer(&waiting));
  } else if (strcmp(line, "answer cancel") == 0) {
    answer = CANCEL;
    if (waiting) respond(g_steal_pointer(&waiting), 1, NULL);
  } else if (strcmp(line, "answer wait") == 0) {
    answer = WAIT;
  } else if (strcmp(line, "close-session") == 0) {
    g_dbus_connection_emit_signal(bus, NULL, session, "org.freedesktop.impl.portal.Session", "Closed", NULL, NULL);
  } else if (strcmp(line, "stats") == 0) {
    printf("stats %d %d\n", screen.pictures, screen.streams);
  } else {
    return false;
  }
  return true;
}

static gboolean on_input(gint fd, GIOCondition condition, gpointer data) {
  (void)condition, (void)data;
  static char text[65536];
  static size_t length;
  static int obeyed;
  const ssize_t more = read(fd, text + length, sizeof text - 1 - length);
  if (more <= 0) exit(0);
  length += (size_t)more;
  text[length] = 0;
  for (char *end; (end = strchr(text, '\n'));) {
    *end = 0;
    if (!obey(text)) {
      fprintf(stderr, "unknown order: %s\n", text);
      exit(1);
    }
    printf("ok %d\n", ++obeyed);
    fflush(stdout);
    length -= (size_t)(end + 1 - text);
    memmove(text, end + 1, length + 1);
  }
  return G_SOURCE_CONTINUE;
}

// --- beginning

static void name_acquired(GDBusConnection *connection, const gchar *name, gpointer data) {
  (void)connection, (void)name, (void)data;
  printf("ready %u\n", node);
  fflush(stdout);
}

static void name_lost(GDBusConnection *connection, const gchar *name, gpointer data) {
  (void)connection, (void)data;
  fprintf(stderr, "the name %s is not to be had\n", name);
  exit(1);
}

static void bus_acquired(GDBusConnection *connection, const gchar *name, gpointer data) {
  (void)name, (void)data;
  bus = connection;
  GDBusInterfaceInfo *info = g_dbus_node_info_lookup_interface(node_info, "org.freedesktop.impl.portal.ScreenCast");
  g_dbus_connection_register_object(bus, "/org/freedesktop/portal/desktop", info, &screen_cast, NULL, NULL, NULL);
}

static void screen_ready(uint32_t id) {
  node = id;
  g_bus_own_name(G_BUS_TYPE_SESSION, NAME, G_BUS_NAME_OWNER_FLAGS_NONE, bus_acquired, name_acquired, name_lost, NULL,
                 NULL);
}

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  for (int i = 3; i < argc; ++i) {
    sscanf(argv[i], "types=%u", &source_types);
    sscanf(argv[i], "cursor=%u", &cursor_modes);
    sscanf(argv[i], "memory=%u", (unsigned *)&screen.memory);
    sscanf(argv[i], "rate=%d", &screen.fixed_rate);
    sscanf(argv[i], "format=%u", &screen.format);
    sscanf(argv[i], "margin=%d", &screen.margin);
    if (strcmp(argv[i], "silent") == 0) screen.silent = true;
  }
  node_info = g_dbus_node_info_new_for_xml(introspection, NULL);
  if (!screen_connect()) {
    fprintf(stderr, "no PipeWire\n");
    return 1;
  }
  screen_fill(atoi(argv[1]), atoi(argv[2]), 1);
  screen_show(screen_ready);
  g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP, on_input, NULL);
  g_main_loop_run(g_main_loop_new(NULL, FALSE));
}
