#include "pulse_client.h"

#include "frame_stamper.h"

namespace cap {

namespace {

constexpr uint64_t kPatienceNs = 3000000000;

std::string Text(const char* text) { return text ? text : ""; }

void TakeServer(pa_context*, const pa_server_info* info, void* data) {
  auto& server = *static_cast<SoundServer*>(data);
  if (!info) return;
  server.name = Text(info->server_name) + " " + Text(info->server_version);
  server.default_output = Text(info->default_sink_name);
  server.default_input = Text(info->default_source_name);
}

void TakeOutput(pa_context*, const pa_sink_info* info, int, void* data) {
  if (!info) return;
  static_cast<SoundServer*>(data)->outputs.push_back({info->index, Text(info->name), Text(info->description), false});
}

void TakeInput(pa_context*, const pa_source_info* info, int, void* data) {
  if (!info) return;
  const bool monitor = info->monitor_of_sink != PA_INVALID_INDEX;
  static_cast<SoundServer*>(data)->inputs.push_back({info->index, Text(info->name), Text(info->description), monitor});
}

void TakeStream(pa_context*, const pa_sink_input_info* info, int, void* data) {
  if (!info) return;
  const auto property = [info](const char* name) { return Text(pa_proplist_gets(info->proplist, name)); };
  static_cast<SoundServer*>(data)->streams.push_back(
      {info->index, info->sink, Text(info->name), property(PA_PROP_APPLICATION_NAME), property(PA_PROP_APPLICATION_ID),
       property(PA_PROP_APPLICATION_PROCESS_BINARY), property(PA_PROP_APPLICATION_PROCESS_ID)});
}

void TakeModule(pa_context*, const pa_module_info* info, int, void* data) {
  if (!info) return;
  static_cast<SoundServer*>(data)->modules.push_back({info->index, Text(info->name), Text(info->argument)});
}

void TakeIndex(pa_context*, uint32_t index, void* data) { *static_cast<uint32_t*>(data) = index; }

void TakeSuccess(pa_context*, int success, void* data) { *static_cast<bool*>(data) = success != 0; }

Failure NoServer(const std::string& reason) { return {"sound-server", "", "there is no sound server: " + reason, ""}; }

}  // namespace

std::optional<Failure> PulseClient::Open() {
  deadline_ns_ = MonotonicNs() + kPatienceNs;
  std::string reason;
  if (!connection_.Begin(reason)) return NoServer(reason);
  while (!connection_.ready()) {
    if (connection_.failed()) return NoServer(connection_.Error());
    if (MonotonicNs() > deadline_ns_) return NoServer("it does not answer");
    connection_.Iterate(deadline_ns_);
  }
  return std::nullopt;
}

std::optional<Failure> PulseClient::Finish(pa_operation* operation) {
  if (!operation) return NoServer(connection_.Error());
  while (pa_operation_get_state(operation) == PA_OPERATION_RUNNING && MonotonicNs() < deadline_ns_) {
    connection_.Iterate(deadline_ns_);
  }
  const bool done = pa_operation_get_state(operation) == PA_OPERATION_DONE;
  if (!done) pa_operation_cancel(operation);
  pa_operation_unref(operation);
  if (done) return std::nullopt;
  return NoServer(connection_.failed() ? connection_.Error() : "it does not answer");
}

std::optional<Failure> PulseClient::Describe(SoundServer& server) {
  pa_context* context = connection_.context();
  auto failure = Finish(pa_context_get_server_info(context, TakeServer, &server));
  if (!failure) failure = Finish(pa_context_get_sink_info_list(context, TakeOutput, &server));
  if (!failure) failure = Finish(pa_context_get_source_info_list(context, TakeInput, &server));
  if (!failure) failure = Finish(pa_context_get_sink_input_info_list(context, TakeStream, &server));
  if (!failure) failure = Finish(pa_context_get_module_info_list(context, TakeModule, &server));
  return failure;
}

std::optional<Failure> PulseClient::FinishChange(pa_operation* operation, const std::string& what) {
  if (auto failure = Finish(operation)) return failure;
  if (accepted_) return std::nullopt;
  return Failure{"sound-change", "", "the sound server refuses to " + what + ": " + connection_.Error(), ""};
}

std::optional<Failure> PulseClient::LoadModule(const std::string& name, const std::string& argument, uint32_t& index) {
  index = PA_INVALID_INDEX;
  auto failure =
      Finish(pa_context_load_module(connection_.context(), name.c_str(), argument.c_str(), TakeIndex, &index));
  accepted_ = index != PA_INVALID_INDEX;
  if (failure || accepted_) return failure;
  return Failure{"sound-module", "", "the sound server refuses to load " + name + ": " + connection_.Error(), ""};
}

std::optional<Failure> PulseClient::UnloadModule(uint32_t index) {
  return FinishChange(pa_context_unload_module(connection_.context(), index, TakeSuccess, &accepted_),
                      "unload a module");
}

std::optional<Failure> PulseClient::MoveStream(uint32_t index, const std::string& output) {
  return FinishChange(
      pa_context_move_sink_input_by_name(connection_.context(), index, output.c_str(), TakeSuccess, &accepted_),
      "move a stream to " + output);
}

}  // namespace cap
