// The header of a GGUF file, or of PowerInfer's variant, read with every offset checked: any bytes give a header or a
// coded error, in memory and time bounded by the file. It runs before llama.cpp sees a file, because llama.cpp trusts
// counts it finds there.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "core/error.h"
#include "gguf.h"

namespace hotpath {

class ReadFile;

/// Bytes at any offset, from a file or from memory.
struct ByteSource {
  std::string name;  // for messages
  uint64_t size;
  std::function<bool(uint64_t offset, void* to, size_t n)> read;
};

/// Of a file that outlives it.
ByteSource file_source(const std::string& path, const ReadFile& file);

struct GgufArray {
  gguf_type type;
  uint64_t count;
  uint64_t offset;  // of the first element, from the start of the file
};

/// Integers and bools as int64_t, except those above its range.
using GgufValue = std::variant<int64_t, uint64_t, double, std::string, GgufArray>;

struct GgufTensor {
  std::string name;
  ggml_type type;
  std::array<int64_t, GGML_MAX_DIMS> shape;  // unused dimensions are 1
  uint64_t offset;                           // from the start of the data
  uint64_t bytes;
  uint64_t elements() const;
};

struct GgufHeader {
  bool has_powerinfer_magic = false;  // PWRI where GGUF belongs
  uint64_t header_bytes = 0;  // up to the data
  uint64_t data_bytes = 0;
  std::unordered_map<std::string, GgufValue> values;
  std::vector<GgufTensor> tensors;

  const std::string* text(std::string_view key) const;
  /// An integer that is not negative; nothing when the key is absent or of another type.
  std::optional<uint64_t> count(std::string_view key) const;
  std::optional<double> number(std::string_view key) const;
  const GgufArray* array(std::string_view key) const;
};

Result<GgufHeader> read_gguf_header(const ByteSource& source);

/// Calls back with each string of an array of the header.
Result<Done> for_each_string(const ByteSource& source, const GgufArray& array,
                             const std::function<void(uint64_t index, const std::string& text)>& visit);

/// The integers of an array of the header; model/corrupt when the elements are not integers.
Result<std::vector<int64_t>> read_integers(const ByteSource& source, const GgufArray& array);

}  // namespace hotpath
