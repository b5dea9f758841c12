// An RTSP server that others push to: writes what is published at /live into a file, as an H.264 byte stream.
// usage: record_server PORT FILE [USER PASSWORD]
// Prints its url when it serves, and "media" for each publisher.
#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>
#include <stdio.h>

static void on_media(GstRTSPMediaFactory *factory, GstRTSPMedia *media, gpointer data) {
  (void)factory, (void)media, (void)data;
  g_print("media\n");
}

static void require_login(GstRTSPServer *server, GstRTSPMediaFactory *factory, const char *user, const char *password) {
  GstRTSPAuth *auth = gst_rtsp_auth_new();
  GstRTSPToken *token = gst_rtsp_token_new(GST_RTSP_TOKEN_MEDIA_FACTORY_ROLE, G_TYPE_STRING, "publisher", NULL);
  gst_rtsp_auth_set_supported_methods(auth, GST_RTSP_AUTH_DIGEST);
  gst_rtsp_auth_add_digest(auth, user, password, token);
  gst_rtsp_token_unref(token);
  gst_rtsp_server_set_auth(server, auth);
  g_object_unref(auth);
  gst_rtsp_media_factory_add_role(factory, "publisher", GST_RTSP_PERM_MEDIA_FACTORY_ACCESS, G_TYPE_BOOLEAN, TRUE,
                                  GST_RTSP_PERM_MEDIA_FACTORY_CONSTRUCT, G_TYPE_BOOLEAN, TRUE, NULL);
}

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc != 3 && argc != 5) {
    g_printerr("usage: record_server PORT FILE [USER PASSWORD]\n");
    return 2;
  }
  GstRTSPServer *server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(server, "127.0.0.1");
  gst_rtsp_server_set_service(server, argv[1]);

  gchar *launch = g_strdup_printf(
      "( rtph264depay name=depay0 ! h264parse ! video/x-h264,stream-format=byte-stream,alignment=au "
      "! filesink location=%s append=true buffer-mode=unbuffered sync=false async=false )",
      argv[2]);
  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, launch);
  gst_rtsp_media_factory_set_transport_mode(factory, GST_RTSP_TRANSPORT_MODE_RECORD);
  gst_rtsp_media_factory_set_latency(factory, 0);
  g_signal_connect(factory, "media-configure", G_CALLBACK(on_media), NULL);
  if (argc == 5) require_login(server, factory, argv[3], argv[4]);
  GstRTSPMountPoints *mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, "/live", factory);
  g_object_unref(mounts);

  if (gst_rtsp_server_attach(server, NULL) == 0) {
    g_printerr("record_server: cannot listen on port %s\n", argv[1]);
    return 1;
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  g_print("rtsp://127.0.0.1:%s/live\n", argv[1]);
  g_main_loop_run(g_main_loop_new(NULL, FALSE));
  return 0;
}
