// One video stream and its sound at one path of the RTSP server: a shared media that is prepared once, kept for as
// long as the mount lives, and fed from a hub.
#pragma once

#include <gst/rtsp-server/rtsp-server.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "appsrc_door.h"
#include "failure.h"

namespace cap {

// A channel of sound beside the video.
struct RtspAudio {
  std::shared_ptr<HubCore> hub;
  std::string payloader;  // GStreamer's launch syntax
  std::string title;      // what players may show
};

class RtspMount {
 public:
  struct Limits {
    unsigned max_waiting_units;
    unsigned max_readers;  // 0: as many as come
  };
  RtspMount(GstRTSPServer* server, std::string path, std::shared_ptr<HubCore> hub, std::vector<RtspAudio> audio,
            Limits limits);
  ~RtspMount();

  // Blocks until the media has its first access unit, so that DESCRIBE can be answered.
  std::optional<Failure> Prepare();

  // Makes a Prepare on another thread fail soon; it would wait for up to twenty seconds.
  void Cancel();

  const std::string& path() const { return path_; }
  const std::shared_ptr<HubCore>& hub() const { return hub_; }
  AppsrcDoor& door() const { return *door_; }
  GstRTSPMedia* media() const { return media_; }
  const Limits& limits() const { return limits_; }

 private:
  bool Construct(GstRTSPMediaFactory* factory);
  void OpenDoors();
  bool AttachDrain();

  GstRTSPServer* server_;
  std::string path_;
  std::shared_ptr<HubCore> hub_;
  std::vector<RtspAudio> audio_;
  const Limits limits_;
  std::shared_ptr<AppsrcDoor> door_;
  std::vector<std::shared_ptr<AppsrcDoor>> audio_doors_;
  std::mutex mutex_;  // of what Cancel uses
  bool cancelled_ = false;
  GstRTSPMedia* media_ = nullptr;
  GPtrArray* drain_ = nullptr;
  bool prepared_ = false;
};

}  // namespace cap
