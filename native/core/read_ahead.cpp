#include "core/read_ahead.h"

#if defined(__linux__)

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace hotpath {

namespace {

// About 20 ms of a fast disk and a second of a slow one: as long as cancelling may take.
constexpr uint64_t kPieceBytes = 64 * 1024 * 1024;
constexpr int kPopulateRead = 22;  // MADV_POPULATE_READ of Linux 5.14, which the headers may not know

/// False where the system is too old, or the file has become shorter.
bool read_piece(int fd, uint64_t offset, uint64_t n) {
  void* piece = ::mmap(nullptr, n, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(offset));
  if (piece == MAP_FAILED) return false;
  const bool is_read = ::madvise(piece, n, kPopulateRead) == 0;
  ::munmap(piece, n);
  return is_read;
}

}  // namespace

bool is_worth_reading_ahead() { return true; }

void read_ahead(const std::string& path, const std::function<bool(uint64_t bytes)>& go_on) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return;
  struct stat info = {};
  const uint64_t size = ::fstat(fd, &info) == 0 ? static_cast<uint64_t>(info.st_size) : 0;
  for (uint64_t at = 0; at < size; at += kPieceBytes) {
    const uint64_t n = std::min(kPieceBytes, size - at);
    // The disk is already at the next piece while this one is waited for.
    ::posix_fadvise(fd, static_cast<off_t>(at), static_cast<off_t>(2 * kPieceBytes), POSIX_FADV_WILLNEED);
    if (!read_piece(fd, at, n) || !go_on(at + n)) break;
  }
  ::close(fd);
}

}  // namespace hotpath

#else

namespace hotpath {

bool is_worth_reading_ahead() { return false; }

void read_ahead(const std::string&, const std::function<bool(uint64_t bytes)>&) {}

}  // namespace hotpath

#endif
