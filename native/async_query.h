// Runs work that may block on a pool thread, and settles a promise with the answer made of its result.
#pragma once

#include <napi.h>

#include <functional>
#include <optional>

#include "failure.h"

namespace cap {

template <typename Result>
class AsyncQuery : public Napi::AsyncWorker {
 public:
  using Work = std::function<std::optional<Failure>(Result&)>;
  using Answer = std::function<Napi::Value(Napi::Env, const Result&)>;

  static Napi::Promise Run(Napi::Env env, Work work, Answer answer) {
    auto* query = new AsyncQuery(env, std::move(work), std::move(answer));
    Napi::Promise promise = query->deferred_.Promise();
    query->Queue();
    return promise;
  }

  void Execute() override { failure_ = work_(result_); }

  void OnOK() override {
    if (failure_) {
      deferred_.Reject(failure_->ToError(Env()).Value());
    } else {
      deferred_.Resolve(answer_(Env(), result_));
    }
  }

 private:
  AsyncQuery(Napi::Env env, Work work, Answer answer)
      : AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)),
        answer_(std::move(answer)) {}

  Napi::Promise::Deferred deferred_;
  Work work_;
  Answer answer_;
  Result result_{};
  std::optional<Failure> failure_;
};

}  // namespace cap
