// llama.cpp in this process: its libraries, found and opened once, and its devices.
#pragma once

#include <string>
#include <vector>

#include "core/error.h"
#include "ggml-backend.h"

namespace hotpath {

struct BackendLibrary {
  std::string file;
  bool loaded;
  std::string reason;  // why it was not loaded, or what it lacks; empty: nothing to say
};

/// EngineLibraries of src/protocol/model.ts.
struct Libraries {
  std::string llama_version;
  std::string cpu_variant;
  std::string directory;  // where the CPU library came from
  std::vector<BackendLibrary> backends;
};

enum class DeviceKind { cpu, gpu, accelerator };

struct Device {
  std::string name;
  std::string description;
  DeviceKind kind;
  uint64_t memory_bytes;
  uint64_t free_bytes;
};

/// Opens the backend libraries of the directories, of the CPU variants only the best. Later calls return what the first
/// found. device/unavailable when no CPU backend can be loaded.
Result<Libraries> start_runtime(const std::vector<std::string>& directories);

std::vector<Device> list_devices();

/// The GPUs one model would use: discrete ones, each once even if two backends see it, else the integrated one.
std::vector<ggml_backend_dev_t> usable_gpus();

}  // namespace hotpath
