// The yardstick: a gst-rtsp-server with one shared factory at /cap and everything else as the library has it.
// usage: peer_server PORT "( PIPELINE ! rtph264pay name=pay0 )"
// Prints its url when it serves.
#include <gst/gst.h>
#include <gst/rtsp-server/rtsp-server.h>

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  if (argc != 3) {
    g_printerr("usage: peer_server PORT \"( PIPELINE ! rtph264pay name=pay0 )\"\n");
    return 2;
  }
  GstRTSPServer *server = gst_rtsp_server_new();
  gst_rtsp_server_set_address(server, "127.0.0.1");
  gst_rtsp_server_set_service(server, argv[1]);

  GstRTSPMediaFactory *factory = gst_rtsp_media_factory_new();
  gst_rtsp_media_factory_set_launch(factory, argv[2]);
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  GstRTSPMountPoints *mounts = gst_rtsp_server_get_mount_points(server);
  gst_rtsp_mount_points_add_factory(mounts, "/cap", factory);
  g_object_unref(mounts);

  if (gst_rtsp_server_attach(server, NULL) == 0) {
    g_printerr("peer_server: cannot listen on port %s\n", argv[1]);
    return 1;
  }
  g_print("rtsp://127.0.0.1:%s/cap\n", argv[1]);
  g_main_loop_run(g_main_loop_new(NULL, FALSE));
  return 0;
}
