// Writes a synthetic model: to a temporary name beside its own, renamed when it is whole.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "core/cancel.h"
#include "synth/shape.h"

namespace hotpath::synth {

struct Written {
  uint64_t bytes;
  double seconds;
};

/// SyntheticModel of src/protocol/model.ts.
struct Description {
  std::string architecture;
  Shape shape;
  uint64_t parameters = 0;
  uint64_t bytes = 0;         // of the file
  uint64_t layers_bytes = 0;  // of the weights inside the layers
  std::map<ggml_type, uint64_t> type_bytes;
  uint64_t kv_bytes_per_token = 0;
};

using OnWritten = std::function<void(uint64_t bytes, uint64_t total)>;

/// The vocabulary comes from another model file. request/invalid for a spec that cannot be or a disk that is too full,
/// file/unreadable when writing fails, request/cancelled; nothing stays behind then.
Result<Written> write_model(const Spec& spec, const std::string& vocabulary_path, const std::string& path,
                            const OnWritten& on_written, const CancelFlag& cancel);

/// What write_model would write; it fails for the same specs.
Result<Description> describe(const Spec& spec, const std::string& vocabulary_path);

}  // namespace hotpath::synth
