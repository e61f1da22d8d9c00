// A whole file in memory, read only and shared with every process that maps it. Only for files that Hotpath alone writes:
// it replaces them by another in one step (rename) and never shortens them, as the pages of a shortened file fault. Models
// are the user's, who may download over them, so those are read.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/error.h"

namespace hotpath {

class MappedFile {
 public:
  /// file/unreadable when there is none, it is empty or cannot be mapped.
  static Result<MappedFile> open(const std::string& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();

  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  const uint8_t* data_;
  size_t size_;
};

}  // namespace hotpath
