// Runs work that may block on a pool thread, and settles a promise with its outcome.
#pragma once

#include <napi.h>

#include <functional>
#include <optional>

#include "failure.h"

namespace cap {

class AsyncTask : public Napi::AsyncWorker {
 public:
  using Work = std::function<std::optional<Failure>()>;

  // Makes what the promise resolves to, on the JavaScript thread.
  using Result = std::function<Napi::Value(Napi::Env env)>;

  // `owner` is kept alive until the work is done.
  static Napi::Promise Run(Napi::Env env, Napi::Object owner, Work work, Result result = nullptr) {
    auto* task = new AsyncTask(env, owner, std::move(work), std::move(result));
    Napi::Promise promise = task->deferred_.Promise();
    task->Queue();
    return promise;
  }

  void Execute() override { failure_ = work_(); }

  void OnOK() override {
    if (failure_) {
      deferred_.Reject(failure_->ToError(Env()).Value());
    } else {
      deferred_.Resolve(result_ ? result_(Env()) : Env().Undefined());
    }
  }

 private:
  AsyncTask(Napi::Env env, Napi::Object owner, Work work, Result result)
      : AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        owner_(Napi::Persistent(owner)),
        work_(std::move(work)),
        result_(std::move(result)) {}

  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference owner_;
  Work work_;
  Result result_;
  std::optional<Failure> failure_;
};

}  // namespace cap
