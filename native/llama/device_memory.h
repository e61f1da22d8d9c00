// What a loaded model takes of each device's memory.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace hotpath {

/// DeviceMemory of src/protocol/model.ts.
struct DeviceMemory {
  uint64_t weight_bytes = 0;
  uint64_t kv_bytes = 0;
  uint64_t compute_bytes = 0;
  uint64_t hot_bytes = 0;

  uint64_t total() const { return weight_bytes + kv_bytes + compute_bytes + hot_bytes; }
};

/// What llama.cpp logs about the buffers of one load, each to a hundredth of a MiB. Its interface has no function that
/// tells them, and the memory that a device says is free also changes by what other programs do.
class BufferLog {
 public:
  void add_line(const std::string& line);

  /// Of a GPU: llama.cpp's buffers there, so without hot neurons.
  DeviceMemory on(const std::string& device) const;

  /// Of main memory, in which a model has `model_bytes` of weights where no GPU does: each of them once. The sizes that
  /// llama.cpp logs count twice what the CPU packed anew, but the pages of the file it came from make way for others.
  DeviceMemory beside(const std::vector<std::string>& gpus, uint64_t model_bytes) const;

 private:
  std::map<std::string, DeviceMemory> by_buffer_type_;
};

}  // namespace hotpath
