// Writes a synthetic model: to a temporary name beside its own, renamed when it is whole.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/cancel.h"
#include "synth/shape.h"

namespace hotpath::synth {

struct Written {
  uint64_t bytes;
  double seconds;
};

using OnWritten = std::function<void(uint64_t bytes, uint64_t total)>;

/// The vocabulary comes from another model file. request/invalid for a spec that cannot be or a disk that is too full,
/// file/unreadable when writing fails, request/cancelled; nothing stays behind then.
Result<Written> write_model(const Spec& spec, const std::string& vocabulary_path, const std::string& path,
                            const OnWritten& on_written, const CancelFlag& cancel);

}  // namespace hotpath::synth
