// Questions to the sound server, and changes to it, one after the other: each call waits for its answer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "failure.h"
#include "pulse_connection.h"

namespace cap {

struct SoundDevice {
  uint32_t index;
  std::string name;
  std::string description;
  bool monitor;  // of a source: it gives what an output plays
};

// What one application plays.
struct SoundStream {
  uint32_t index;
  uint32_t output;
  std::string title;
  std::string application;
  std::string application_id;
  std::string binary;
  std::string process_id;
};

struct SoundModule {
  uint32_t index;
  std::string name;
  std::string argument;
};

struct SoundServer {
  std::string name;
  std::string default_output;
  std::string default_input;
  std::vector<SoundDevice> outputs, inputs;
  std::vector<SoundStream> streams;
  std::vector<SoundModule> modules;
};

class PulseClient {
 public:
  // Connects. Every call says why it failed, or nothing; all of them together take three seconds at most.
  std::optional<Failure> Open();
  std::optional<Failure> Describe(SoundServer& server);
  std::optional<Failure> LoadModule(const std::string& name, const std::string& argument, uint32_t& index);
  std::optional<Failure> UnloadModule(uint32_t index);
  std::optional<Failure> MoveStream(uint32_t index, const std::string& output);

 private:
  std::optional<Failure> Finish(pa_operation* operation);
  std::optional<Failure> FinishChange(pa_operation* operation, const std::string& what);

  PulseConnection connection_;
  uint64_t deadline_ns_ = 0;
  bool accepted_ = false;
};

}  // namespace cap
