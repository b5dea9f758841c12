#include "rtsp_mount.h"

#include <gst/base/gstbasesink.h>

namespace cap {

namespace {

// config-interval: the encoder's key frames carry SPS and PPS themselves; the payloader would add
// them before every slice, which splits a picture of several slices into several access units.
// aggregate-mode: SPS, PPS and SEI share a packet, and no packet waits for the next one.
constexpr char kLaunch[] =
    "( appsrc name=door is-live=true ! "
    "rtph264pay name=pay0 pt=96 config-interval=0 aggregate-mode=zero-latency )";

// Bytes of the UDP send buffer: room for a key frame of a large picture in one burst.
constexpr guint kUdpBufferSize = 2 << 20;

struct Factory {
  GstRTSPMediaFactory parent;
};
struct FactoryClass {
  GstRTSPMediaFactoryClass parent_class;
};

G_DEFINE_TYPE(Factory, factory, GST_TYPE_RTSP_MEDIA_FACTORY)

// The default key includes the query string, so that `?a` and `?b` would each get a pipeline.
gchar* OneKey(GstRTSPMediaFactory*, const GstRTSPUrl*) { return g_strdup("cap"); }

void factory_class_init(FactoryClass* klass) { GST_RTSP_MEDIA_FACTORY_CLASS(klass)->gen_key = OneKey; }
void factory_init(Factory*) {}

GstRTSPMediaFactory* NewFactory() {
  auto* factory = GST_RTSP_MEDIA_FACTORY(g_object_new(factory_get_type(), nullptr));
  gst_rtsp_media_factory_set_launch(factory, kLaunch);
  gst_rtsp_media_factory_set_shared(factory, TRUE);
  gst_rtsp_media_factory_set_transport_mode(factory, GST_RTSP_TRANSPORT_MODE_PLAY);
  gst_rtsp_media_factory_set_protocols(
      factory, static_cast<GstRTSPLowerTrans>(GST_RTSP_LOWER_TRANS_UDP | GST_RTSP_LOWER_TRANS_TCP));
  gst_rtsp_media_factory_set_suspend_mode(factory, GST_RTSP_SUSPEND_MODE_NONE);
  gst_rtsp_media_factory_set_stop_on_disconnect(factory, TRUE);
  gst_rtsp_media_factory_set_buffer_size(factory, kUdpBufferSize);
  gst_rtsp_media_factory_set_latency(factory, 0);
  return factory;
}

// RTCP sender reports: gst-rtsp-server's add the pipeline's latency to the time of a packet; without it the wall
// time that they give for an RTP time is that of the capture.
// Access units come in real time already; a sink that syncs would hold every packet for GstBaseSink's
// processing deadline of 20 ms. gst-rtsp-server turns the TCP sink's sync on again at each PLAY, so
// the deadline goes too.
void OnElementAdded(GstBin*, GstBin*, GstElement* element, gpointer) {
  if (g_object_class_find_property(G_OBJECT_GET_CLASS(element), "rtcp-sync-send-time")) {
    g_object_set(element, "rtcp-sync-send-time", FALSE, nullptr);
  }
  if (GST_IS_BASE_SINK(element)) g_object_set(element, "sync", FALSE, "processing-deadline", guint64{0}, nullptr);
}

gboolean SwallowBuffer(GstBuffer*, guint8, gpointer) { return TRUE; }
gboolean SwallowList(GstBufferList*, guint8, gpointer) { return TRUE; }

}  // namespace

RtspMount::RtspMount(GstRTSPServer* server, std::string path, std::shared_ptr<HubCore> hub, Limits limits)
    : server_(GST_RTSP_SERVER(g_object_ref(server))), path_(std::move(path)), hub_(std::move(hub)), limits_(limits) {}

bool RtspMount::Construct(GstRTSPMediaFactory* factory) {
  GstRTSPUrl* url = nullptr;
  gst_rtsp_url_parse(("rtsp://127.0.0.1" + path_).c_str(), &url);
  std::lock_guard<std::mutex> lock(mutex_);
  if (!cancelled_) media_ = gst_rtsp_media_factory_construct(factory, url);
  gst_rtsp_url_free(url);
  return media_ != nullptr;
}

void RtspMount::Cancel() {
  std::lock_guard<std::mutex> lock(mutex_);
  cancelled_ = true;
  if (!media_) return;
  // An error message is what the media's own thread takes for the end of its preparation.
  GstElement* bin = gst_rtsp_media_get_element(media_);
  GError* error = g_error_new_literal(GST_CORE_ERROR, GST_CORE_ERROR_FAILED, "the server is closed");
  gst_element_post_message(bin, gst_message_new_error(GST_OBJECT(bin), error, nullptr));
  g_error_free(error);
  gst_object_unref(bin);
}

std::optional<Failure> RtspMount::Prepare() {
  GstRTSPMediaFactory* factory = NewFactory();
  if (!Construct(factory)) {
    g_object_unref(factory);
    return Failure{"pipeline", "", "the RTSP media cannot be made", "is rtph264pay installed?"};
  }
  GstElement* bin = gst_rtsp_media_get_element(media_);
  GstElement* appsrc = gst_bin_get_by_name(GST_BIN(bin), "door");
  if (GstObject* pipeline = gst_object_get_parent(GST_OBJECT(bin))) {
    g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(OnElementAdded), nullptr);
    gst_object_unref(pipeline);
  }
  door_ = std::make_shared<AppsrcDoor>(hub_, appsrc, limits_.max_waiting_units, AppsrcDoor::Timeline::kClock);
  gst_object_unref(appsrc);
  gst_object_unref(bin);
  // Readers watch, one by one; the media itself only until it is prepared.
  hub_->Add(door_, false);
  const Watching preparing(hub_);

  GstRTSPThreadPool* threads = gst_rtsp_server_get_thread_pool(server_);
  GstRTSPContext context{};
  GstRTSPThread* thread = gst_rtsp_thread_pool_get_thread(threads, GST_RTSP_THREAD_TYPE_MEDIA, &context);
  g_object_unref(threads);
  // This reference is kept while the mount lives: unpreparing a shared media while another
  // client fetches it is a race in gst-rtsp-server 1.22.
  prepared_ = gst_rtsp_media_prepare(media_, thread);
  if (!prepared_ || !AttachDrain()) {
    g_object_unref(factory);
    return Failure{"pipeline", "", "the RTSP media does not start", "no access unit came from the encoder in time"};
  }
  GstRTSPMountPoints* mounts = gst_rtsp_server_get_mount_points(server_);
  gst_rtsp_mount_points_add_factory(mounts, path_.c_str(), factory);  // takes the factory
  g_object_unref(mounts);
  return std::nullopt;
}

// A TCP transport that is always ready and throws away what it gets. gst-rtsp-server pulls only
// while some transport is ready: without the drain one stalled reader would stop the media, and
// with no reader at all old packets would wait in it for the next one.
bool RtspMount::AttachDrain() {
  GstRTSPStream* stream = gst_rtsp_media_get_stream(media_, 0);
  if (!stream) return false;
  GstRTSPTransport* description;
  gst_rtsp_transport_new(&description);
  gst_rtsp_transport_parse("RTP/AVP/TCP;unicast;interleaved=0-1", description);
  GstRTSPStreamTransport* drain = gst_rtsp_stream_transport_new(stream, description);  // takes the description
  gst_rtsp_stream_transport_set_callbacks(drain, SwallowBuffer, SwallowBuffer, nullptr, nullptr);
  gst_rtsp_stream_transport_set_list_callbacks(drain, SwallowList, SwallowList, nullptr, nullptr);
  drain_ = g_ptr_array_new_with_free_func(g_object_unref);
  g_ptr_array_add(drain_, drain);
  return gst_rtsp_media_complete_pipeline(media_, drain_) &&
         gst_rtsp_media_set_state(media_, GST_STATE_PLAYING, drain_);
}

RtspMount::~RtspMount() {
  GstRTSPMountPoints* mounts = gst_rtsp_server_get_mount_points(server_);
  gst_rtsp_mount_points_remove_factory(mounts, path_.c_str());
  g_object_unref(mounts);
  if (door_) door_->Close();
  if (media_) {
    if (drain_) gst_rtsp_media_set_state(media_, GST_STATE_NULL, drain_);
    if (prepared_) gst_rtsp_media_unprepare(media_);
    g_object_unref(media_);
  }
  if (drain_) g_ptr_array_unref(drain_);
  g_object_unref(server_);
}

}  // namespace cap
