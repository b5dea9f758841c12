#include "rtsp_mount.h"

#include <gst/base/gstbasesink.h>

#include <algorithm>

namespace cap {

namespace {

// config-interval: the encoder's key frames carry SPS and PPS themselves; the payloader would add
// them before every slice, which splits a picture of several slices into several access units.
// aggregate-mode: SPS, PPS and SEI share a packet, and no packet waits for the next one.
constexpr char kVideo[] =
    "appsrc name=door is-live=true ! "
    "rtph264pay name=pay0 pt=96 config-interval=0 aggregate-mode=zero-latency ";

constexpr guint kFirstAudioPayload = 97;

// Each channel of sound is a stream of its own.
std::string Launch(const std::vector<RtspAudio>& audio) {
  std::string launch = kVideo;
  for (size_t i = 0; i < audio.size(); ++i) {
    launch += "appsrc name=door" + std::to_string(i + 1) + " is-live=true ! " + audio[i].payloader + " name=pay" +
              std::to_string(i + 1) + " pt=" + std::to_string(kFirstAudioPayload + i) + " ";
  }
  return "( " + launch + ")";
}

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

struct Media {
  GstRTSPMedia parent;
  std::vector<std::string>* titles;
};
struct MediaClass {
  GstRTSPMediaClass parent_class;
};

G_DEFINE_TYPE(Media, media, GST_TYPE_RTSP_MEDIA)

// Names the channels of sound in the description by RFC 4574, in the letters that it allows. An "i=" line would be the
// place for text, but GStreamer 1.22 does not end it.
gboolean SetUpSdp(GstRTSPMedia* media, GstSDPMessage* sdp, GstSDPInfo* info) {
  if (!GST_RTSP_MEDIA_CLASS(media_parent_class)->setup_sdp(media, sdp, info)) return FALSE;
  const auto& titles = *reinterpret_cast<Media*>(media)->titles;
  for (guint i = 1; i < gst_sdp_message_medias_len(sdp) && i <= titles.size(); ++i) {
    auto* channel = const_cast<GstSDPMedia*>(gst_sdp_message_get_media(sdp, i));
    gst_sdp_media_add_attribute(channel, "label", titles[i - 1].c_str());
  }
  return TRUE;
}

void FinalizeMedia(GObject* object) {
  delete reinterpret_cast<Media*>(object)->titles;
  G_OBJECT_CLASS(media_parent_class)->finalize(object);
}

void media_class_init(MediaClass* klass) {
  G_OBJECT_CLASS(klass)->finalize = FinalizeMedia;
  GST_RTSP_MEDIA_CLASS(klass)->setup_sdp = SetUpSdp;
}
void media_init(Media* self) { self->titles = new std::vector<std::string>(); }

GstRTSPMediaFactory* NewFactory(const std::vector<RtspAudio>& audio) {
  auto* factory = GST_RTSP_MEDIA_FACTORY(g_object_new(factory_get_type(), nullptr));
  gst_rtsp_media_factory_set_launch(factory, Launch(audio).c_str());
  gst_rtsp_media_factory_set_media_gtype(factory, media_get_type());
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

RtspMount::RtspMount(GstRTSPServer* server, std::string path, std::shared_ptr<HubCore> hub,
                     std::vector<RtspAudio> audio, Limits limits)
    : server_(GST_RTSP_SERVER(g_object_ref(server))),
      path_(std::move(path)),
      hub_(std::move(hub)),
      audio_(std::move(audio)),
      limits_(limits) {}

bool RtspMount::Construct(GstRTSPMediaFactory* factory) {
  GstRTSPUrl* url = nullptr;
  gst_rtsp_url_parse(("rtsp://127.0.0.1" + path_).c_str(), &url);
  std::lock_guard<std::mutex> lock(mutex_);
  if (!cancelled_) media_ = gst_rtsp_media_factory_construct(factory, url);
  gst_rtsp_url_free(url);
  if (!media_) return false;
  for (const RtspAudio& channel : audio_) {
    std::string label = channel.title;
    std::replace_if(
        label.begin(), label.end(), [](char c) { return !g_ascii_isalnum(c); }, '-');
    reinterpret_cast<Media*>(media_)->titles->push_back(label);
  }
  return true;
}

void RtspMount::OpenDoors() {
  GstElement* bin = gst_rtsp_media_get_element(media_);
  const auto open = [&](const std::string& name, const std::shared_ptr<HubCore>& hub) {
    GstElement* appsrc = gst_bin_get_by_name(GST_BIN(bin), name.c_str());
    auto door = std::make_shared<AppsrcDoor>(hub, appsrc, limits_.max_waiting_units, AppsrcDoor::Timeline::kClock);
    gst_object_unref(appsrc);
    hub->Add(door, false);
    return door;
  };
  door_ = open("door", hub_);
  for (size_t i = 0; i < audio_.size(); ++i) {
    audio_doors_.push_back(open("door" + std::to_string(i + 1), audio_[i].hub));
  }
  gst_object_unref(bin);
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
  GstRTSPMediaFactory* factory = NewFactory(audio_);
  if (!Construct(factory)) {
    g_object_unref(factory);
    return Failure{"pipeline", "", "the RTSP media cannot be made", "are its payloaders installed?"};
  }
  GstElement* bin = gst_rtsp_media_get_element(media_);
  if (GstObject* pipeline = gst_object_get_parent(GST_OBJECT(bin))) {
    g_signal_connect(pipeline, "deep-element-added", G_CALLBACK(OnElementAdded), nullptr);
    gst_object_unref(pipeline);
  }
  gst_object_unref(bin);
  OpenDoors();
  // Readers watch, one by one; the media itself only until it is prepared.
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

// A TCP transport for each stream that is always ready and throws away what it gets. gst-rtsp-server pulls only
// while some transport is ready: without the drain one stalled reader would stop the media, and
// with no reader at all old packets would wait in it for the next one.
bool RtspMount::AttachDrain() {
  drain_ = g_ptr_array_new_with_free_func(g_object_unref);
  for (guint i = 0; i < gst_rtsp_media_n_streams(media_); ++i) {
    GstRTSPTransport* description;
    gst_rtsp_transport_new(&description);
    const std::string channels = std::to_string(2 * i) + "-" + std::to_string(2 * i + 1);
    gst_rtsp_transport_parse(("RTP/AVP/TCP;unicast;interleaved=" + channels).c_str(), description);
    GstRTSPStreamTransport* drain =  // takes the description
        gst_rtsp_stream_transport_new(gst_rtsp_media_get_stream(media_, i), description);
    gst_rtsp_stream_transport_set_callbacks(drain, SwallowBuffer, SwallowBuffer, nullptr, nullptr);
    gst_rtsp_stream_transport_set_list_callbacks(drain, SwallowList, SwallowList, nullptr, nullptr);
    g_ptr_array_add(drain_, drain);
  }
  return drain_->len > 0 && gst_rtsp_media_complete_pipeline(media_, drain_) &&
         gst_rtsp_media_set_state(media_, GST_STATE_PLAYING, drain_);
}

RtspMount::~RtspMount() {
  GstRTSPMountPoints* mounts = gst_rtsp_server_get_mount_points(server_);
  gst_rtsp_mount_points_remove_factory(mounts, path_.c_str());
  g_object_unref(mounts);
  if (door_) door_->Close();
  for (const auto& door : audio_doors_) door->Close();
  if (media_) {
    if (drain_) gst_rtsp_media_set_state(media_, GST_STATE_NULL, drain_);
    if (prepared_) gst_rtsp_media_unprepare(media_);
    g_object_unref(media_);
  }
  if (drain_) g_ptr_array_unref(drain_);
  g_object_unref(server_);
}

}  // namespace cap
