// Which server certificates an rtspsrc takes instead of those that the system trusts.
#pragma once

#include <napi.h>

namespace cap {

// trustTls(pipeline, element, kind, value): kind `fingerprint` takes the certificate with that SHA-256, in hexadecimal,
// and no other; `ca` takes what the authorities in that PEM file have signed for the server's name; `system` leaves it
// to the system. What is refused is posted as an error that begins with "untrusted certificate sha256:".
void TrustTls(const Napi::CallbackInfo& info);

}  // namespace cap
