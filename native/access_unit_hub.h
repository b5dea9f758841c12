// One encoder in, N doors out: hands every access unit, with its SEI metadata, to every door.
#pragma once

#include <gst/app/gstappsink.h>
#include <napi.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "event_channel.h"

namespace cap {

// Name of the upstream event that asks a damage-driven source for a frame at once, and of its field that says whether
// that is for somebody who has just joined.
extern const char* const kRefreshEvent;
extern const char* const kJoinedField;

// One coded picture in byte-stream format. The buffer is shared by all doors: nobody writes to it.
struct AccessUnit {
  GstBuffer* buffer;
  uint64_t captured_ns;  // CLOCK_MONOTONIC
  bool key;
  // Whether it shows anything else than the one before it, as far as that is known.
  bool changed = true;
};

// Where access units go. Called on the encoder's streaming thread: never blocks.
class AccessUnitConsumer {
 public:
  virtual ~AccessUnitConsumer() = default;
  virtual void Consume(const AccessUnit& unit, GstCaps* caps) = 0;
  // Whether it waits for its first key frame, and takes the pictures since the last one instead.
  virtual bool WantsGop() { return false; }
  virtual void ConsumeGop(const std::vector<AccessUnit>& gop, GstCaps* caps) {}
  // The hub is closed: nothing will come any more.
  virtual void End() {}
};

// The hub's part that streaming threads use; the JavaScript wrapper and the doors share it.
class HubCore : public std::enable_shared_from_this<HubCore> {
 public:
  // Takes what the appsink gets from now on, until it is closed. `keep_gop`: the access units come from
  // elsewhere, and nobody can ask for a key frame there. Who joins gets what came since the last one,
  // at once. `coding_delay_ns`: so much earlier than the units' time begins what is decoded of them.
  static std::shared_ptr<HubCore> Open(GstElement* appsink, unsigned min_key_interval_ms, bool keep_gop,
                                       uint64_t coding_delay_ns);
  // Has no encoder in this process: whoever receives access units from another one hands them to `Take`,
  // and is asked for key frames by `ask`, from any thread.
  static std::shared_ptr<HubCore> OpenRemote(std::function<void()> ask);
  ~HubCore();

  // Hands a unit to every door. Called by one thread at a time.
  void Take(const AccessUnit& unit, GstCaps* caps);

  // `watches`: somebody looks at what the consumer gets for as long as it is there; see Watching.
  void Add(std::shared_ptr<AccessUnitConsumer> consumer, bool watches = true);
  void Remove(const std::shared_ptr<AccessUnitConsumer>& consumer);

  // Whether anybody looks at the stream. `listener` is called, on any thread, whenever that may have changed.
  bool watched() const { return watchers_ > 0; }
  void OnWatched(std::function<void()> listener);

  // Asks the encoder for a key frame. Requests within `min_key_interval_ms` of the last one are
  // kept and sent when the interval has passed: readers cannot make the stream all key frames.
  void RequestKeyFrame();

  // Asks a source that waits for something to change for a picture now, whatever it shows.
  void Refresh();

  bool keeps_gop() const { return keep_gop_; }
  void set_keep_gop(bool keep) { keep_gop_ = keep; }

  void SetStaticSections(std::vector<uint8_t> sections);
  void Close();

  struct Counters {
    std::atomic<uint64_t> access_units{0}, key_frames{0}, bytes{0}, key_requests{0}, encode_ns{0};
    std::atomic<uint64_t> newest_captured_ns{0};
    std::atomic<int> width{0}, height{0};  // of the newest picture
  };
  const Counters& counters() const { return counters_; }

 private:
  HubCore(unsigned min_key_interval_ms, bool keep_gop, uint64_t coding_delay_ns);
  static GstFlowReturn OnSample(GstAppSink* sink, gpointer data);
  void Deliver(GstSample* sample);
  GstBuffer* WithSei(GstBuffer* buffer);
  friend class Watching;
  void Watch(int difference);
  uint64_t CapturedNs(GstBuffer* buffer) const;
  void Keep(const AccessUnit& unit);
  void NoteSize(GstCaps* caps);
  void ForgetGop();
  void SendKeyRequest();
  void AskForFrame(bool joined);
  void SendWantedKeyRequest();

  GstElement* appsink_ = nullptr;  // null: remote
  std::function<void()> ask_;
  const uint64_t min_key_interval_ns_;
  std::atomic<bool> keep_gop_;
  const uint64_t coding_delay_ns_;
  GstCaps* noted_caps_ = nullptr;  // whose size is in the counters; of the encoder's streaming thread
  std::vector<AccessUnit> gop_;    // of the encoder's streaming thread, as is gop_bytes_
  size_t gop_bytes_ = 0;
  std::mutex mutex_;
  struct Entry {
    std::shared_ptr<AccessUnitConsumer> consumer;
    bool watches;
  };
  std::vector<Entry> consumers_;
  std::function<void()> on_watched_;
  std::atomic<int> watchers_{0};
  std::vector<uint8_t> static_sections_;
  uint64_t last_key_request_ns_ = 0;
  bool key_wanted_ = false;
  bool closed_ = false;
  Counters counters_;
};

// Somebody who looks at a stream, for as long as this lives. A stream that nobody looks at need not be captured.
class Watching {
 public:
  explicit Watching(std::shared_ptr<HubCore> hub) : hub_(std::move(hub)) { hub_->Watch(1); }
  ~Watching() { hub_->Watch(-1); }
  Watching(const Watching&) = delete;
  Watching& operator=(const Watching&) = delete;

 private:
  std::shared_ptr<HubCore> hub_;
};

class AccessUnitHub : public Napi::ObjectWrap<AccessUnitHub> {
 public:
  static Napi::Function Define(Napi::Env env);
  static AccessUnitHub* From(Napi::Value value);
  explicit AccessUnitHub(const Napi::CallbackInfo& info);
  ~AccessUnitHub() override;
  const std::shared_ptr<HubCore>& core() const { return core_; }

 private:
  void RequestKeyFrame(const Napi::CallbackInfo& info);
  void SetStaticSections(const Napi::CallbackInfo& info);
  Napi::Value KeepsGop(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  void OnWatched(const Napi::CallbackInfo& info);
  Napi::Value Watched(const Napi::CallbackInfo& info);
  Napi::Value Watch(const Napi::CallbackInfo& info);
  void Close(const Napi::CallbackInfo& info);

  std::shared_ptr<HubCore> core_;
  std::shared_ptr<EventChannel> events_;
};

}  // namespace cap
