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

  // `owner` is kept alive until the work is done.
  static Napi::Promise Run(Napi::Env env, Napi::Object owner, Work work) {
    auto* task = new AsyncTask(env, owner, std::move(work));
    Napi::Promise promise = task->deferred_.Promise();
    task->Queue();
    return promise;
  }

  void Execute() override { failure_ = work_(); }

  void OnOK() override {
    if (failure_) {
      deferred_.Reject(failure_->ToError(Env()).Value());
    } else {
      deferred_.Resolve(Env().Undefined());
    }
  }

 private:
  AsyncTask(Napi::Env env, Napi::Object owner, Work work)
      : AsyncWorker(env),
        deferred_(Napi::Promise::Deferred::New(env)),
        owner_(Napi::Persistent(owner)),
        work_(std::move(work)) {}

  Napi::Promise::Deferred deferred_;
  Napi::ObjectReference owner_;
  Work work_;
  std::optional<Failure> failure_;
};

}  // namespace cap
