#include "hotcold/memory.h"

#include <cstring>
#include <new>

#if defined(_WIN32)
#include <windows.h>
#else
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace hotpath::hotcold {

namespace {

constexpr std::align_val_t kCacheLine{64};
constexpr size_t kHugePage = size_t{2} << 20;

// Large memory is the system's, whose zeros are not written twice: a page comes to be when a thread first writes there, so
// that weights are packed into memory that no single thread had to fill before.

#if defined(_WIN32)

uint8_t* map(size_t n) { return static_cast<uint8_t*>(VirtualAlloc(nullptr, n, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE)); }

void unmap(uint8_t* data, size_t) { VirtualFree(data, 0, MEM_RELEASE); }

#else

size_t page_bytes() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }

size_t whole_pages(size_t n) { return (n + page_bytes() - 1) / page_bytes() * page_bytes(); }

uint8_t* map(size_t n) {
  const size_t size = whole_pages(n);
  void* mapped = mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return nullptr;
  auto* begin = static_cast<uint8_t*>(mapped);
  const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(begin) % kHugePage) % kHugePage;
  if (before > 0) munmap(begin, before);
  munmap(begin + before + size, kHugePage - before);
#if defined(__linux__)
  // Scattered reads of single neurons would otherwise miss the TLB for almost every row.
  madvise(begin + before, size, MADV_HUGEPAGE);
#endif
  return begin + before;
}

void unmap(uint8_t* data, size_t n) { munmap(data, whole_pages(n)); }

#endif

}  // namespace

AlignedBytes::AlignedBytes(size_t n) {
  if (n == 0) return;
  if (n >= kHugePage) {
    data_ = map(n);
    if (!data_) throw std::bad_alloc();
  } else {
    data_ = static_cast<uint8_t*>(::operator new(n, kCacheLine));
    std::memset(data_, 0, n);
  }
  size_ = n;
}

AlignedBytes::~AlignedBytes() {
  if (size_ >= kHugePage) unmap(data_, size_);
  else if (data_) ::operator delete(data_, kCacheLine);
}

#if defined(_WIN32)
void let_go_of_mapped_file(const void*, size_t) {}  // its working set shrinks by itself
#else
void let_go_of_mapped_file(const void* data, size_t n) {
  const auto at = reinterpret_cast<uintptr_t>(data);
  const uintptr_t begin = whole_pages(at);
  const uintptr_t end = (at + n) / page_bytes() * page_bytes();
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
}
#endif

}  // namespace hotpath::hotcold
