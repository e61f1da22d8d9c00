// Memory for weights and scratch: 64-byte aligned, in huge pages where the system has them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

namespace hotpath::hotcold {

class AlignedBytes {
 public:
  AlignedBytes() = default;
  /// Zeroed. Throws std::bad_alloc, which becomes device/out-of-memory where work enters the engine.
  explicit AlignedBytes(size_t n);
  AlignedBytes(AlignedBytes&& other) noexcept { swap(other); }
  AlignedBytes& operator=(AlignedBytes&& other) noexcept {
    swap(other);
    return *this;
  }
  ~AlignedBytes();

  uint8_t* data() { return data_; }
  const uint8_t* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void swap(AlignedBytes& other) {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
  }

  uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

/// Of the mapping of a file, what lies in whole pages leaves the memory of this process; whoever reads it later, has it read
/// again. The system may keep it, as long as it has no better use for the memory.
void let_go_of_mapped_file(const void* data, size_t n);

}  // namespace hotpath::hotcold
