#include "formats/gguf_header.h"

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "core/file.h"

namespace hotpath {

namespace {

// llama.cpp compares every new key and tensor name with all before it; these limits keep that below seconds and are far
// above any real file (a model of 100 layers has about 1000 tensors and 50 keys).
constexpr uint64_t kMaxPairs = 16384;
constexpr uint64_t kMaxTensors = 32768;
constexpr uint64_t kMaxKeyBytes = 65535;             // the format's own limit
constexpr uint64_t kMaxTextBytes = 16 * 1024 * 1024;  // one metadata string; chat templates and licences are the largest
constexpr uint64_t kMaxAlignment = 1 << 20;
constexpr size_t kWindowBytes = 64 * 1024;
constexpr const char* kPowerInferMagic = "PWRI";
constexpr const char* kPlacementArchitecture = "generic.gpu_index";

/// Thrown inside this file only, where it keeps forty reads from forty branches; read_gguf_header turns it into a Result.
struct Malformed {
  ErrorCode code;
  std::string what;
};

[[noreturn]] void corrupt(std::string what) { throw Malformed{ErrorCode::model_corrupt, std::move(what)}; }

size_t scalar_bytes(uint32_t type) {
  switch (type) {
    case GGUF_TYPE_UINT8:
    case GGUF_TYPE_INT8:
    case GGUF_TYPE_BOOL: return 1;
    case GGUF_TYPE_UINT16:
    case GGUF_TYPE_INT16: return 2;
    case GGUF_TYPE_UINT32:
    case GGUF_TYPE_INT32:
    case GGUF_TYPE_FLOAT32: return 4;
    case GGUF_TYPE_UINT64:
    case GGUF_TYPE_INT64:
    case GGUF_TYPE_FLOAT64: return 8;
    default: return 0;
  }
}

/// Reads forward through a source by a window, so that a header costs a few large reads.
class Cursor {
 public:
  Cursor(const ByteSource& source, uint64_t position) : source_(source), position_(position) {}

  uint64_t position() const { return position_; }
  uint64_t remaining() const { return source_.size - position_; }

  void skip(uint64_t n) {
    need(n);
    position_ += n;
  }

  void bytes(void* to, size_t n) {
    need(n);
    if (n > kWindowBytes) {
      if (!source_.read(position_, to, n)) throw Malformed{ErrorCode::file_unreadable, "read error"};
    } else {
      std::memcpy(to, window(n), n);
    }
    position_ += n;
  }

  template <typename T>
  T read() {
    T value;
    bytes(&value, sizeof value);
    return value;
  }

  std::string text(uint64_t max_bytes, const char* what) {
    const auto n = read<uint64_t>();
    if (n > max_bytes) {
      corrupt(format_text("%s of %llu bytes at offset %llu", what, (unsigned long long)n, (unsigned long long)position_));
    }
    need(n);
    std::string value(static_cast<size_t>(n), '\0');
    bytes(value.data(), value.size());
    return value;
  }

 private:
  void need(uint64_t n) const {
    if (n > remaining()) {
      corrupt(format_text("the file ends at %llu bytes, inside a value of %llu bytes at offset %llu",
                          (unsigned long long)source_.size, (unsigned long long)n, (unsigned long long)position_));
    }
  }

  const char* window(size_t n) {
    const bool inside = position_ >= start_ && position_ + n <= start_ + window_.size();
    if (!inside) {
      window_.resize(static_cast<size_t>(std::min<uint64_t>(kWindowBytes, remaining())));
      start_ = position_;
      if (!source_.read(start_, window_.data(), window_.size())) {
        throw Malformed{ErrorCode::file_unreadable, "read error"};
      }
    }
    return window_.data() + (position_ - start_);
  }

  const ByteSource& source_;
  uint64_t position_;
  uint64_t start_ = 0;
  std::vector<char> window_;
};

template <typename T>
GgufValue integer(Cursor& cursor) {
  return static_cast<int64_t>(cursor.read<T>());
}

GgufValue read_scalar(Cursor& cursor, uint32_t type) {
  switch (type) {
    case GGUF_TYPE_UINT8: return integer<uint8_t>(cursor);
    case GGUF_TYPE_INT8: return integer<int8_t>(cursor);
    case GGUF_TYPE_UINT16: return integer<uint16_t>(cursor);
    case GGUF_TYPE_INT16: return integer<int16_t>(cursor);
    case GGUF_TYPE_UINT32: return integer<uint32_t>(cursor);
    case GGUF_TYPE_INT32: return integer<int32_t>(cursor);
    case GGUF_TYPE_INT64: return integer<int64_t>(cursor);
    case GGUF_TYPE_BOOL: return static_cast<int64_t>(cursor.read<uint8_t>() != 0);
    case GGUF_TYPE_FLOAT32: return static_cast<double>(cursor.read<float>());
    case GGUF_TYPE_FLOAT64: return cursor.read<double>();
    case GGUF_TYPE_UINT64: {
      const auto value = cursor.read<uint64_t>();
      if (value > INT64_MAX) return value;
      return static_cast<int64_t>(value);
    }
    default: return cursor.text(kMaxTextBytes, "a metadata string");
  }
}

GgufArray read_array(Cursor& cursor, const std::string& key) {
  const auto type = cursor.read<uint32_t>();
  const auto count = cursor.read<uint64_t>();
  const GgufArray array = {static_cast<gguf_type>(type), count, cursor.position()};
  const size_t element_bytes = type == GGUF_TYPE_STRING ? sizeof(uint64_t) : scalar_bytes(type);
  if (element_bytes == 0) corrupt(format_text("key %s: an array of elements of type %u", key.c_str(), type));
  if (count > cursor.remaining() / element_bytes) {
    corrupt(format_text("key %s: an array of %llu elements with %llu bytes left in the file", key.c_str(),
                        (unsigned long long)count, (unsigned long long)cursor.remaining()));
  }
  if (type != GGUF_TYPE_STRING) {
    cursor.skip(count * element_bytes);
  } else {
    for (uint64_t i = 0; i < count; ++i) cursor.skip(cursor.read<uint64_t>());
  }
  return array;
}

void read_pairs(Cursor& cursor, uint64_t count, GgufHeader& header) {
  for (uint64_t i = 0; i < count; ++i) {
    std::string key = cursor.text(kMaxKeyBytes, "a metadata key");
    if (key.empty()) corrupt(format_text("metadata key %llu is empty", (unsigned long long)i));
    const auto type = cursor.read<uint32_t>();
    if (type >= GGUF_TYPE_COUNT) corrupt(format_text("key %s has a value of unknown type %u", key.c_str(), type));
    GgufValue value = type == GGUF_TYPE_ARRAY ? GgufValue(read_array(cursor, key)) : read_scalar(cursor, type);
    if (!header.values.emplace(key, std::move(value)).second) corrupt("key " + key + " appears twice");
  }
}

uint64_t checked_bytes(const GgufTensor& tensor) {
  const int64_t block = ggml_blck_size(tensor.type);
  if (block == 0 || tensor.shape[0] % block != 0) {
    corrupt(format_text("tensor %s: rows of %lld elements, not whole blocks of type %d", tensor.name.c_str(),
                        (long long)tensor.shape[0], (int)tensor.type));
  }
  uint64_t elements = 1;
  for (const int64_t n : tensor.shape) {
    if (n <= 0) corrupt(format_text("tensor %s: a dimension of %lld", tensor.name.c_str(), (long long)n));
    // 2^52 elements are beyond any disk and leave room for the size in bytes.
    if (static_cast<uint64_t>(n) > (uint64_t(1) << 52) / elements) {
      corrupt(format_text("tensor %s: too many elements", tensor.name.c_str()));
    }
    elements *= static_cast<uint64_t>(n);
  }
  return elements / static_cast<uint64_t>(block) * ggml_type_size(tensor.type);
}

GgufTensor read_tensor(Cursor& cursor) {
  GgufTensor tensor;
  tensor.name = cursor.text(GGML_MAX_NAME - 1, "a tensor name");
  const auto n_dims = cursor.read<uint32_t>();
  if (n_dims > GGML_MAX_DIMS) corrupt(format_text("tensor %s has %u dimensions", tensor.name.c_str(), n_dims));
  tensor.shape.fill(1);
  for (uint32_t i = 0; i < n_dims; ++i) tensor.shape[i] = cursor.read<int64_t>();
  const auto type = cursor.read<uint32_t>();
  if (type >= GGML_TYPE_COUNT) {
    throw Malformed{ErrorCode::model_unsupported, format_text("tensor %s has unknown type %u", tensor.name.c_str(), type)};
  }
  tensor.type = static_cast<ggml_type>(type);
  tensor.offset = cursor.read<uint64_t>();
  tensor.bytes = checked_bytes(tensor);
  return tensor;
}

uint64_t padded(uint64_t n, uint64_t alignment) { return (n + alignment - 1) / alignment * alignment; }

uint64_t read_alignment(const GgufHeader& header) {
  if (!header.values.contains("general.alignment")) return GGUF_DEFAULT_ALIGNMENT;
  const auto alignment = header.count("general.alignment").value_or(0);
  if (alignment == 0 || alignment > kMaxAlignment || (alignment & (alignment - 1)) != 0) {
    corrupt(format_text("an alignment of %llu", (unsigned long long)alignment));
  }
  return alignment;
}

void check_data(const ByteSource& source, GgufHeader& header, uint64_t alignment) {
  for (const GgufTensor& tensor : header.tensors) {
    if (tensor.offset != header.data_bytes) {
      corrupt(format_text("tensor %s: data at offset %llu, expected %llu", tensor.name.c_str(),
                          (unsigned long long)tensor.offset, (unsigned long long)header.data_bytes));
    }
    const uint64_t end = header.header_bytes + tensor.offset + tensor.bytes;
    if (tensor.bytes > source.size || end > source.size) {
      corrupt(format_text("tensor %s: needs %llu bytes of file, the file has %llu (truncated?)", tensor.name.c_str(),
                          (unsigned long long)end, (unsigned long long)source.size));
    }
    header.data_bytes += padded(tensor.bytes, alignment);
  }
}

void read_prologue(Cursor& cursor, GgufHeader& header, uint64_t& n_tensors, uint64_t& n_pairs) {
  char magic[4];
  if (cursor.remaining() < sizeof magic) throw Malformed{ErrorCode::model_not_gguf, "too short to be a GGUF file"};
  cursor.bytes(magic, sizeof magic);
  header.has_powerinfer_magic = std::memcmp(magic, kPowerInferMagic, sizeof magic) == 0;
  if (!header.has_powerinfer_magic && std::memcmp(magic, GGUF_MAGIC, sizeof magic) != 0) {
    throw Malformed{ErrorCode::model_not_gguf, "does not begin with GGUF"};
  }
  const auto version = cursor.read<uint32_t>();
  if (version < 2 || version > GGUF_VERSION) {
    throw Malformed{ErrorCode::model_unsupported,
                    format_text("GGUF version %u, versions 2 to %d are supported", version, GGUF_VERSION)};
  }
  n_tensors = cursor.read<uint64_t>();
  n_pairs = cursor.read<uint64_t>();
  if (n_tensors > kMaxTensors) corrupt(format_text("%llu tensors", (unsigned long long)n_tensors));
  if (n_pairs > kMaxPairs) corrupt(format_text("%llu metadata keys", (unsigned long long)n_pairs));
}

/// PowerInfer's list of neurons to keep on the GPU. Its tensors cannot be read: type 18 was a 32-bit integer there and is
/// a quantised type today.
void refuse_placement(const GgufHeader& header) {
  const std::string* architecture = header.text("general.architecture");
  if (!architecture || *architecture != kPlacementArchitecture) return;
  throw Malformed{ErrorCode::model_unsupported,
                  "is a placement file of PowerInfer, not a model; it is not needed: open the model itself, its placement "
                  "is worked out anew"};
}

Error to_error(const ByteSource& source, const Malformed& malformed) {
  return {malformed.code, source.name + ": " + malformed.what,
          {{"path", source.name}, {"fileBytes", static_cast<double>(source.size)}}};
}

GgufHeader read_header(const ByteSource& source) {
  Cursor cursor(source, 0);
  GgufHeader header;
  uint64_t n_tensors;
  uint64_t n_pairs;
  read_prologue(cursor, header, n_tensors, n_pairs);
  read_pairs(cursor, n_pairs, header);
  refuse_placement(header);
  std::unordered_set<std::string> names;
  for (uint64_t i = 0; i < n_tensors; ++i) {
    header.tensors.push_back(read_tensor(cursor));
    if (!names.insert(header.tensors.back().name).second) corrupt("tensor " + header.tensors.back().name + " appears twice");
  }
  const uint64_t alignment = read_alignment(header);
  header.header_bytes = padded(cursor.position(), alignment);
  check_data(source, header, alignment);
  return header;
}

}  // namespace

ByteSource file_source(const std::string& path, const ReadFile& file) {
  return {path, file.size(), [&file](uint64_t offset, void* to, size_t n) { return file.read_at(offset, to, n); }};
}

uint64_t GgufTensor::elements() const {
  return static_cast<uint64_t>(shape[0]) * static_cast<uint64_t>(shape[1]) * static_cast<uint64_t>(shape[2]) *
         static_cast<uint64_t>(shape[3]);
}

const std::string* GgufHeader::text(std::string_view key) const {
  const auto found = values.find(std::string(key));
  return found == values.end() ? nullptr : std::get_if<std::string>(&found->second);
}

std::optional<uint64_t> GgufHeader::count(std::string_view key) const {
  const auto found = values.find(std::string(key));
  if (found == values.end()) return std::nullopt;
  if (const auto* value = std::get_if<int64_t>(&found->second); value && *value >= 0) return static_cast<uint64_t>(*value);
  if (const auto* value = std::get_if<uint64_t>(&found->second)) return *value;
  return std::nullopt;
}

std::optional<double> GgufHeader::number(std::string_view key) const {
  const auto found = values.find(std::string(key));
  if (found == values.end()) return std::nullopt;
  if (const auto* value = std::get_if<double>(&found->second)) return *value;
  return std::nullopt;
}

const GgufArray* GgufHeader::array(std::string_view key) const {
  const auto found = values.find(std::string(key));
  return found == values.end() ? nullptr : std::get_if<GgufArray>(&found->second);
}

Result<GgufHeader> read_gguf_header(const ByteSource& source) {
  try {
    return read_header(source);
  } catch (const Malformed& malformed) {
    return to_error(source, malformed);
  }
}

Result<Done> for_each_string(const ByteSource& source, const GgufArray& array,
                             const std::function<void(uint64_t, const std::string&)>& visit) {
  CHECK(array.type == GGUF_TYPE_STRING);
  try {
    Cursor cursor(source, array.offset);
    for (uint64_t i = 0; i < array.count; ++i) visit(i, cursor.text(kMaxTextBytes, "a string"));
    return Done{};
  } catch (const Malformed& malformed) {
    return to_error(source, malformed);
  }
}

Result<std::vector<int64_t>> read_integers(const ByteSource& source, const GgufArray& array) {
  try {
    std::vector<int64_t> values;
    Cursor cursor(source, array.offset);
    for (uint64_t i = 0; i < array.count; ++i) {
      const GgufValue value = read_scalar(cursor, array.type);
      const auto* number = std::get_if<int64_t>(&value);
      if (!number) corrupt(format_text("an array of type %d where integers belong", (int)array.type));
      values.push_back(*number);
    }
    return values;
  } catch (const Malformed& malformed) {
    return to_error(source, malformed);
  }
}

}  // namespace hotpath
