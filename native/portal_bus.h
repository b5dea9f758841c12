// Calls to the desktop portal, over a D-Bus connection of their own: the portal ends a session with its connection.
#pragma once

#include <gio/gio.h>

#include <functional>
#include <memory>
#include <string>

namespace cap {

// Lives on the main loop's thread, and is called there alone. Every step has a time limit. What fails ends it all.
class PortalBus : public std::enable_shared_from_this<PortalBus> {
 public:
  struct Failure {
    std::string code, message;
  };

  virtual ~PortalBus();
  PortalBus(const PortalBus&) = delete;
  PortalBus& operator=(const PortalBus&) = delete;

  // Takes back what is asked and ends the session; `done` is called when the portal has been told.
  void Close(std::function<void()> done);

 protected:
  using Reply = std::function<void(GVariant* reply, GUnixFDList* fds)>;
  using Results = std::function<void(GVariant* results)>;
  using Arguments = std::function<GVariant*(GVariantBuilder* options)>;

  explicit PortalBus(std::string address) : address_(std::move(address)) {}

  virtual void OnConnected() = 0;
  // Called at most once, after everything was closed.
  virtual void OnFailed(const Failure& failure) = 0;

  void Connect();
  // From now on the end of the portal, or of the bus, is a failure.
  void WatchPortal();
  // And that of the session at that path.
  void WatchSession(const std::string& path);
  // Calls a method of the portal.
  void Call(const char* interface, const char* method, GVariant* arguments, Reply reply);
  // Calls one of its ScreenCast that is answered by a signal. `arguments` gets the options, with the request's
  // token in them.
  void Request(const char* method, const Arguments& arguments, unsigned limit_ms, Failure too_late, Results next);
  // The step under way fails after that time; 0: no step is under way.
  void LimitStep(unsigned limit_ms, Failure too_late);
  void Fail(const Failure& failure);

  bool over() const { return over_; }
  const std::string& session() const { return session_; }

 private:
  void Connected(GDBusConnection* connection, GError* error);
  void Respond(GVariant* response);
  void EndRequest();
  void Tell(const std::string& path, const char* interface);
  void FailWith(GError* error);

  const std::string address_;
  GDBusConnection* connection_ = nullptr;
  GCancellable* cancel_ = g_cancellable_new();
  GSource* limit_ = nullptr;
  std::string session_, request_;  // object paths
  Results next_;
  unsigned response_signal_ = 0, closed_signal_ = 0, name_watch_ = 0, requests_ = 0;
  gulong bus_closed_ = 0;
  bool over_ = false;
};

}  // namespace cap
