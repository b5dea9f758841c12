#include "failure.h"

namespace cap {

Napi::Error Failure::ToError(Napi::Env env) const {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("failure", Napi::String::New(env, code));
  if (!element.empty()) error.Set("element", Napi::String::New(env, element));
  if (!debug.empty()) error.Set("debug", Napi::String::New(env, debug));
  return error;
}

Failure FailureFromGError(const std::string& code, GError* error) {
  Failure failure{code, "", error ? error->message : "unknown failure", ""};
  if (error) {
    failure.debug = std::string(g_quark_to_string(error->domain)) + " " + std::to_string(error->code);
    g_error_free(error);
  }
  return failure;
}

void Throw(Napi::Env env, const Failure& failure) { throw failure.ToError(env); }

void Throw(Napi::Env env, const std::string& code, const std::string& message) {
  throw Failure{code, "", message, ""}.ToError(env);
}

}  // namespace cap
