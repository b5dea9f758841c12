// The desktop portal's ScreenCast over D-Bus: from a bus address to a screen that PipeWire shows.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "portal_bus.h"

namespace cap {

class PortalHandshake : public PortalBus {
 public:
  struct Abilities {
    unsigned version = 0, source_types = 0, cursor_modes = 0;  // bits, as the portal has them
  };
  struct Choice {
    unsigned source_types = 0, cursor_mode = 0;
    bool persistent = false;    // a token is asked for
    std::string restore_token;  // of an earlier session; empty: none
  };
  struct Stream {
    unsigned node = 0, source_type = 0;
    int width = 0, height = 0;  // 0 when not told
    std::string restore_token;
  };
  struct Listener {
    std::function<void(const Abilities&)> ready;    // after Open
    std::function<void(const Stream&)> started;     // after Start
    std::function<void(const Failure&)> failed;     // instead of these
    std::function<void(const std::string&)> ended;  // after started: the session is over
  };

  PortalHandshake(std::string address, Listener listener)
      : PortalBus(std::move(address)), listener_(std::move(listener)) {}
  ~PortalHandshake() override;

  void Open() { Connect(); }
  // Asks the user, unless the token makes that needless.
  void Start(const Choice& choice);
  // The socket to PipeWire, once, after started; -1 when there is none.
  int TakeRemote() { return std::exchange(remote_, -1); }

 private:
  void OnConnected() override;
  void OnFailed(const Failure& failure) override;
  void SelectSources(const Choice& choice);
  void Begin();
  void TakeStream(GVariant* results);
  void OpenRemote(const Stream& stream);

  const Listener listener_;
  int remote_ = -1;
  bool started_ = false;
};

}  // namespace cap
