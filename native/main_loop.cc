#include "main_loop.h"

#include <future>

namespace cap {

namespace {

gboolean RunOnce(gpointer data) {
  (*static_cast<std::function<void()>*>(data))();
  return G_SOURCE_REMOVE;
}

gboolean RunAgain(gpointer data) {
  (*static_cast<std::function<void()>*>(data))();
  return G_SOURCE_CONTINUE;
}

void Delete(gpointer data) { delete static_cast<std::function<void()>*>(data); }

gpointer RunLoop(gpointer data) {
  auto* context = static_cast<GMainContext*>(data);
  g_main_context_push_thread_default(context);
  g_main_loop_run(g_main_loop_new(context, FALSE));
  return nullptr;
}

}  // namespace

MainLoop& MainLoop::Get() {
  static MainLoop* instance = new MainLoop();
  return *instance;
}

MainLoop::MainLoop() : context_(g_main_context_new()), thread_(g_thread_new("cap-main-loop", RunLoop, context_)) {}

void MainLoop::Post(std::function<void()> task) {
  GSource* source = g_idle_source_new();
  g_source_set_priority(source, G_PRIORITY_DEFAULT);
  g_source_set_callback(source, RunOnce, new std::function<void()>(std::move(task)), Delete);
  g_source_attach(source, context_);
  g_source_unref(source);
}

void MainLoop::After(unsigned delay_ms, std::function<void()> task) {
  GSource* source = g_timeout_source_new(delay_ms);
  g_source_set_callback(source, RunOnce, new std::function<void()>(std::move(task)), Delete);
  g_source_attach(source, context_);
  g_source_unref(source);
}

GSource* MainLoop::Every(unsigned interval_ms, std::function<void()> task) {
  GSource* source = g_timeout_source_new(interval_ms);
  g_source_set_callback(source, RunAgain, new std::function<void()>(std::move(task)), Delete);
  g_source_attach(source, context_);
  return source;
}

void MainLoop::Run(const std::function<void()>& task) {
  if (g_thread_self() == thread_) {
    task();
    return;
  }
  std::promise<void> done;
  Post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace cap
