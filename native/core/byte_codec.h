// The few encodings our own binary files are made of. Reading is total: past the end or on nonsense the reader fails for
// good and yields zeros, so that a parser checks once per loop, not once per field.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"

namespace hotpath {

/// FNV-1a; goes on from `hash`. Tells files and damage apart, not enemies.
uint64_t hash_bytes(std::string_view bytes, uint64_t hash = 0xcbf29ce484222325u);

class ByteWriter {
 public:
  void u64(uint64_t value);
  /// LEB128: small numbers take one byte.
  void varint(uint64_t value);
  /// The step from `before` to `value`, small either way when they are close.
  void step(uint64_t before, uint64_t value);
  void text(std::string_view text);
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  uint64_t u64();
  uint64_t varint();
  uint64_t step(uint64_t before);
  std::string text(size_t max_bytes);
  /// A varint of at most `most`. Where every item takes a byte or more, `most` = remaining() bounds what is allocated.
  uint64_t count(uint64_t most);

  size_t remaining() const { return bytes_.size(); }
  bool failed() const { return failed_; }
  bool at_end() const { return !failed_ && bytes_.empty(); }

 private:
  std::string_view take(size_t n);

  std::string_view bytes_;
  bool failed_ = false;
};

/// A file of ours: eight bytes that name it, a version, the payload and a hash of all before it.
std::string seal(std::string_view magic, uint32_t version, std::string_view payload);

/// The payload within `bytes`; file/unreadable with the reason when they are something else, damaged or of another version.
Result<std::string_view> unseal(std::string_view bytes, std::string_view magic, uint32_t version, const std::string& path);

}  // namespace hotpath
