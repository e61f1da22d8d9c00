// A file opened for reading at any offset, and the lock of a file. Paths are UTF-8 on every platform.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"

namespace hotpath {

class ReadFile {
 public:
  /// Fails with model/not-found when there is none, file/unreadable when it is no regular file or may not be read.
  static Result<ReadFile> open(const std::string& path);
  ReadFile(ReadFile&& other) noexcept;
  ReadFile& operator=(ReadFile&&) = delete;
  ~ReadFile();

  uint64_t size() const { return size_; }
  /// Reads exactly n bytes; false at the end of the file or on an error of the device.
  bool read_at(uint64_t offset, void* to, size_t n) const;

 private:
  ReadFile(intptr_t handle, uint64_t size) : handle_(handle), size_(size) {}
  intptr_t handle_;
  uint64_t size_;
};

/// Creates the file if needed and locks it for the life of this process; false when another process holds it.
Result<bool> lock_file_for_process_life(const std::string& path);

}  // namespace hotpath
