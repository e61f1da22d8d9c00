#include "hotcold/memory.h"

#include <cstring>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace hotpath::hotcold {

namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kHugePage = size_t{2} << 20;

std::align_val_t alignment_of(size_t n) { return std::align_val_t(n >= kHugePage ? kHugePage : kCacheLine); }

}  // namespace

AlignedBytes::AlignedBytes(size_t n) {
  if (n == 0) return;
  data_ = static_cast<uint8_t*>(::operator new(n, alignment_of(n)));
  size_ = n;
#if defined(__linux__)
  // Scattered reads of single neurons would otherwise miss the TLB for almost every row.
  if (n >= kHugePage) madvise(data_, n, MADV_HUGEPAGE);
#endif
  std::memset(data_, 0, n);
}

AlignedBytes::~AlignedBytes() {
  if (data_) ::operator delete(data_, alignment_of(size_));
}

}  // namespace hotpath::hotcold
