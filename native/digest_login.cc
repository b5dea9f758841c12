#include "digest_login.h"

#include <glib.h>
#include <sys/random.h>

#include <cstring>

namespace cap {

namespace {

std::string Md5(const std::string& text) {
  gchar* sum = g_compute_checksum_for_string(G_CHECKSUM_MD5, text.data(), static_cast<gssize>(text.size()));
  std::string hex = sum;
  g_free(sum);
  return hex;
}

// Takes as long for a first wrong character as for a last one.
bool SameSecret(const std::string& a, const std::string& b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned char>(a[i] ^ b[i]);
  return difference == 0;
}

const char* Param(GstRTSPAuthParam** params, const char* name) {
  for (; params && *params; ++params) {
    if (std::strcmp((*params)->name, name) == 0 && (*params)->value) return (*params)->value;
  }
  return "";
}

}  // namespace

bool RtspUser::MayRead(const std::string& path) const {
  if (paths.empty()) return true;
  for (const auto& allowed : paths) {
    if (path == allowed || path.compare(0, allowed.size() + 1, allowed + "/") == 0) return true;
  }
  return false;
}

std::string DigestLogin::NewNonce() {
  unsigned char bytes[16];
  size_t have = 0;
  while (have < sizeof bytes) {
    const ssize_t got = getrandom(bytes + have, sizeof bytes - have, 0);
    if (got > 0) have += static_cast<size_t>(got);
  }
  std::string nonce;
  for (unsigned char byte : bytes) {
    nonce += "0123456789abcdef"[byte >> 4];
    nonce += "0123456789abcdef"[byte & 15];
  }
  return nonce;
}

// Neither qop nor algorithm: rtspsrc 1.22 ignores the first, ffmpeg 5.1 takes the last of several algorithms.
std::string DigestLogin::Challenge(const std::string& nonce, bool stale) const {
  return "Digest realm=\"" + realm_ + "\", nonce=\"" + nonce + "\"" + (stale ? ", stale=true" : "");
}

DigestLogin::Answer DigestLogin::Check(GstRTSPMessage* request, GstRTSPMethod method, const std::string& nonce) const {
  Answer answer;
  GstRTSPAuthCredential** credentials = gst_rtsp_message_parse_auth_credentials(request, GST_RTSP_HDR_AUTHORIZATION);
  if (credentials && *credentials) {
    answer.given = true;
    if ((*credentials)->scheme == GST_RTSP_AUTH_DIGEST) {
      Verify((*credentials)->params, method, nonce, answer);
    } else {
      answer.wrong = true;  // Basic would show the password to the network
    }
  }
  if (credentials) gst_rtsp_auth_credentials_free(credentials);
  return answer;
}

// The uri is hashed as the client says it: players put the address of the stream or of the whole presentation
// there. The nonce belongs to the connection, so an answer cannot be used again on another one.
void DigestLogin::Verify(GstRTSPAuthParam** params, GstRTSPMethod method, const std::string& nonce,
                         Answer& answer) const {
  answer.stale = nonce.empty() || Param(params, "nonce") != nonce;
  if (answer.stale) return;
  answer.response = std::string(Param(params, "username")) + " " + Param(params, "response");
  const char* name = gst_rtsp_method_as_text(method);
  const std::string ha2 = Md5(std::string(name ? name : "") + ":" + Param(params, "uri"));
  for (const auto& user : users_) {
    if (user.name != Param(params, "username")) continue;
    if (SameSecret(Md5(user.ha1 + ":" + nonce + ":" + ha2), Param(params, "response"))) answer.user = &user;
  }
  answer.wrong = !answer.user;
}

}  // namespace cap
