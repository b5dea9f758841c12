// The desktop portal's ScreenCast over D-Bus: from a bus address to a screen that PipeWire shows.
#pragma once

#include <gio/gio.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>

namespace cap {

// Lives on the main loop's thread, and is called there alone. Every step has a time limit.
class PortalHandshake : public std::enable_shared_from_this<PortalHandshake> {
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
  struct Failure {
    std::string code, message;
  };
  struct Listener {
    std::function<void(const Abilities&)> ready;    // after Open
    std::function<void(const Stream&)> started;     // after Start
    std::function<void(const Failure&)> failed;     // instead of these
    std::function<void(const std::string&)> ended;  // after started: the session is over
  };

  PortalHandshake(std::string address, Listener listener)
      : address_(std::move(address)), listener_(std::move(listener)) {}
  ~PortalHandshake();

  void Open();
  // Asks the user, unless the token makes that needless.
  void Start(const Choice& choice);
  // Takes back what is asked and ends the session; `done` is called when the portal has been told.
  void Close(std::function<void()> done);
  // The socket to PipeWire, once, after started; -1 when there is none.
  int TakeRemote() { return std::exchange(remote_, -1); }

 private:
  using Reply = std::function<void(GVariant* reply, GUnixFDList* fds)>;
  using Results = std::function<void(GVariant* results)>;

  void Connected(GDBusConnection* connection, GError* error);
  void ReadAbilities();
  void Watch();
  void SelectSources(const Choice& choice);
  void Begin();
  void TakeStream(GVariant* results);
  void OpenRemote(const Stream& stream);
  // Calls a method of the portal.
  void Call(const char* interface, const char* method, GVariant* arguments, Reply reply);
  // Calls one that is answered by a signal; `arguments` gets the options, with the request's token in them.
  void Request(const char* method, std::function<GVariant*(GVariantBuilder* options)> arguments, unsigned limit_ms,
               Failure too_late, Results next);
  void Respond(GVariant* response);
  void EndRequest();
  void LimitStep(unsigned limit_ms, Failure too_late);
  void Tell(const std::string& path, const char* interface);
  void Fail(std::string code, std::string message);
  void FailWith(GError* error);

  const std::string address_;
  const Listener listener_;
  GDBusConnection* connection_ = nullptr;
  GCancellable* cancel_ = g_cancellable_new();
  GSource* limit_ = nullptr;
  std::string session_;  // object paths
  std::string request_;
  Results next_;
  unsigned response_signal_ = 0, closed_signal_ = 0, name_watch_ = 0, requests_ = 0;
  gulong bus_closed_ = 0;
  int remote_ = -1;
  bool started_ = false, over_ = false;
};

}  // namespace cap
