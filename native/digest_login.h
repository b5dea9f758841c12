// HTTP Digest (RFC 2069, as RTSP players speak it): the users, and whether an Authorization header is one of theirs.
#pragma once

#include <gst/rtsp/gstrtspmessage.h>

#include <cstdint>
#include <string>
#include <vector>

namespace cap {

struct RtspUser {
  std::string name;
  std::string ha1;                 // MD5 of `name:realm:password` in lower-case hexadecimal, as in an htdigest file
  std::vector<std::string> paths;  // what may be read, with all that is below; none: everything

  bool MayRead(const std::string& path) const;
};

class DigestLogin {
 public:
  DigestLogin(std::string realm, std::vector<RtspUser> users) : realm_(std::move(realm)), users_(std::move(users)) {}

  bool required() const { return !users_.empty(); }

  // A WWW-Authenticate value. `stale`: the answer was to another nonce; the password may be right.
  std::string Challenge(const std::string& nonce, bool stale) const;
  // 128 random bits.
  static std::string NewNonce();

  struct Answer {
    bool given = false;              // there is an Authorization header
    bool stale = false;              // to another nonce: who connects again may still have the last one
    bool wrong = false;              // to this nonce, and neither name nor password fits
    const RtspUser* user = nullptr;  // whose it is, when it is right
    std::string response;            // what came, to tell another guess from the same one again
  };
  Answer Check(GstRTSPMessage* request, GstRTSPMethod method, const std::string& nonce) const;

 private:
  void Verify(GstRTSPAuthParam** params, GstRTSPMethod method, const std::string& nonce, Answer& answer) const;

  const std::string realm_;
  const std::vector<RtspUser> users_;
};

}  // namespace cap
