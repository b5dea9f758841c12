// A failure crosses to JavaScript as one struct; src/native maps it to a typed error.
#pragma once

#include <gst/gst.h>
#include <napi.h>

#include <string>

namespace cap {

struct Failure {
  std::string code;     // one word, such as "pipeline" or "port"; src/native/failure.ts lists them
  std::string element;  // the GStreamer element that failed, or empty
  std::string message;
  std::string debug;

  Napi::Error ToError(Napi::Env env) const;
};

// Takes ownership of `error`.
Failure FailureFromGError(const std::string& code, GError* error);

// Throws a JavaScript Error that carries the struct's fields.
[[noreturn]] void Throw(Napi::Env env, const Failure& failure);
[[noreturn]] void Throw(Napi::Env env, const std::string& code, const std::string& message);

}  // namespace cap
