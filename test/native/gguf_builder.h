// Writes GGUF bytes, right or wrong on purpose.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "formats/gguf_header.h"

namespace hotpath::test {

class GgufBuilder {
 public:
  GgufBuilder& text(const std::string& key, const std::string& value) {
    begin_pair(key, GGUF_TYPE_STRING);
    put_text(pairs_, value);
    return *this;
  }

  GgufBuilder& u32(const std::string& key, uint32_t value) {
    begin_pair(key, GGUF_TYPE_UINT32);
    put(pairs_, value);
    return *this;
  }

  GgufBuilder& texts(const std::string& key, const std::vector<std::string>& values) {
    begin_pair(key, GGUF_TYPE_ARRAY);
    put<uint32_t>(pairs_, GGUF_TYPE_STRING);
    put<uint64_t>(pairs_, values.size());
    for (const std::string& value : values) put_text(pairs_, value);
    return *this;
  }

  /// A pair of any type and raw value bytes.
  GgufBuilder& raw(const std::string& key, uint32_t type, const std::string& bytes) {
    begin_pair(key, type);
    pairs_ += bytes;
    return *this;
  }

  GgufBuilder& tensor(const std::string& name, const std::vector<int64_t>& shape, uint32_t type = GGML_TYPE_F32) {
    put_text(tensors_, name);
    put<uint32_t>(tensors_, static_cast<uint32_t>(shape.size()));
    uint64_t bytes = 4;
    for (const int64_t n : shape) {
      put(tensors_, n);
      bytes *= static_cast<uint64_t>(n);
    }
    put(tensors_, type);
    put(tensors_, data_bytes_);
    data_bytes_ += (bytes + 31) / 32 * 32;
    ++n_tensors_;
    return *this;
  }

  /// The keys every model needs, with these tokens.
  GgufBuilder& model(const std::vector<std::string>& tokens) {
    return text("general.architecture", "toy")
        .u32("toy.block_count", 2)
        .u32("toy.embedding_length", 8)
        .u32("toy.context_length", 64)
        .u32("toy.attention.head_count", 2)
        .u32("toy.feed_forward_length", 16)
        .texts("tokenizer.ggml.tokens", tokens)
        .tensor("blk.0.weight", {8})
        .tensor("blk.1.weight", {8})
        .tensor("output.weight", {8});
  }

  std::string bytes() const {
    std::string file = "GGUF";
    put<uint32_t>(file, GGUF_VERSION);
    put(file, n_tensors_);
    put(file, n_pairs_);
    file += pairs_ + tensors_;
    file.resize((file.size() + 31) / 32 * 32 + data_bytes_);
    return file;
  }

 private:
  template <typename T>
  static void put(std::string& to, T value) {
    to.append(reinterpret_cast<const char*>(&value), sizeof value);
  }

  static void put_text(std::string& to, const std::string& text) {
    put<uint64_t>(to, text.size());
    to += text;
  }

  void begin_pair(const std::string& key, uint32_t type) {
    put_text(pairs_, key);
    put(pairs_, type);
    ++n_pairs_;
  }

  std::string pairs_;
  std::string tensors_;
  uint64_t n_pairs_ = 0;
  uint64_t n_tensors_ = 0;
  uint64_t data_bytes_ = 0;
};

/// The source refers to the bytes, which must outlive it.
inline ByteSource memory_source(const std::string& bytes) {
  return {"memory.gguf", bytes.size(), [&bytes](uint64_t offset, void* to, size_t n) {
            if (offset > bytes.size() || n > bytes.size() - offset) return false;
            std::memcpy(to, bytes.data() + offset, n);
            return true;
          }};
}

}  // namespace hotpath::test
