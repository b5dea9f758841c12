{
  "variables": {
    "pkgs": "gstreamer-1.0 gstreamer-app-1.0 gstreamer-video-1.0 gstreamer-rtsp-server-1.0 gstreamer-rtsp-1.0 gio-2.0 wayland-client x11 xrandr x264 xcb xcb-composite xcb-damage xcb-shm xcb-xfixes xcb-xinput"
  },
  "targets": [
    {
      "target_name": "cap_native",
      "sources": [
        "native/access_unit_hub.cc",
        "native/addon.cc",
        "native/appsrc_door.cc",
        "native/compose_element.cc",
        "native/composer.cc",
        "native/devices.cc",
        "native/door.cc",
        "native/event_channel.cc",
        "native/failure.cc",
        "native/frame_meta.cc",
        "native/frame_sink.cc",
        "native/frame_stamper.cc",
        "native/main_loop.cc",
        "native/pipeline.cc",
        "native/plane_scaler.cc",
        "native/rect.cc",
        "native/relay.cc",
        "native/rtsp_core.cc",
        "native/rtsp_mount.cc",
        "native/rtsp_reader.cc",
        "native/rtsp_server.cc",
        "native/sei.cc",
        "native/shared_picture.cc",
        "native/x11_capture.cc",
        "native/wayland_buffer.cc",
        "native/wayland_connection.cc",
        "native/wayland_display.cc",
        "native/wayland_grabber.cc",
        "native/wayland_image_copy.cc",
        "native/wayland_pixels.cc",
        "native/wayland_protocols.cc",
        "native/wayland_screencopy.cc",
        "native/wayland_source.cc",
        "native/x11_cursor.cc",
        "native/x11_display.cc",
        "native/x11_grabber.cc",
        "native/x11_source.cc",
        "native/x11_target.cc",
        "native/x11_watch.cc",
        "native/x264_element.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=9", "NAPI_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"],
      "cflags!": ["-fno-exceptions"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
      "cflags": ["<!@(pkg-config --cflags <(pkgs))", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Wno-cast-function-type"],
      "cflags_cc": ["-std=c++17"],
      "libraries": ["<!@(pkg-config --libs <(pkgs))", "-lyuv"]
    }
  ]
}
