// A large file in the making: written at any offset, locked against a second writer, and put in its place when it is whole.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"

namespace hotpath {

class WorkFile {
 public:
  /// Opens what an earlier attempt left, or creates it. file/unwritable when that fails or another writer has it open.
  static Result<WorkFile> open(const std::string& path);
  WorkFile(WorkFile&& other) noexcept;
  WorkFile& operator=(WorkFile&&) = delete;
  ~WorkFile();

  const std::string& path() const { return path_; }
  Result<uint64_t> size() const;
  Result<Done> resize(uint64_t size);
  /// false at the end of the file or on an error of the device.
  bool read_at(uint64_t offset, void* to, size_t n) const;
  /// file/unwritable, also when the disk is full.
  Result<Done> write_at(uint64_t offset, const void* from, size_t n);

  /// Waits until all is on the disk, then replaces `path` with the file in one step. A later close is harmless.
  Result<Done> finish_as(const std::string& path);
  /// Removes the file. Nothing else may follow.
  void discard();

 private:
  WorkFile(intptr_t handle, std::string path) : handle_(handle), path_(std::move(path)) {}
  void close();
  intptr_t handle_;
  std::string path_;
};

/// file/unwritable, with both numbers, when the disk where `path` is or would be has less room than this.
Result<Done> require_disk_space(const std::string& path, uint64_t bytes);

}  // namespace hotpath
