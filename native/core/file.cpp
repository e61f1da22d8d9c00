#include "core/file.h"


#if defined(_WIN32)
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#endif

namespace hotpath {

namespace {

constexpr intptr_t kNoHandle = -1;

Error unreadable(const std::string& path, const std::string& why) {
  return {ErrorCode::file_unreadable, path + ": " + why, {{"path", path}}};
}

#if defined(_WIN32)
std::wstring wide(const std::string& text) {
  const int n = MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), nullptr, 0);
  std::wstring result(static_cast<size_t>(n), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), result.data(), n);
  return result;
}

std::string system_error(DWORD code) { return "Windows error " + std::to_string(code); }
#endif

}  // namespace

ReadFile::ReadFile(ReadFile&& other) noexcept : handle_(other.handle_), size_(other.size_) { other.handle_ = kNoHandle; }

#if defined(_WIN32)

Result<ReadFile> ReadFile::open(const std::string& path) {
  HANDLE handle = CreateFileW(wide(path).c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_DELETE, nullptr,
                              OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) {
    const DWORD code = GetLastError();
    if (code == ERROR_FILE_NOT_FOUND || code == ERROR_PATH_NOT_FOUND || code == ERROR_INVALID_NAME) {
      return Error{ErrorCode::model_not_found, path + ": no such file", {{"path", path}}};
    }
    return unreadable(path, system_error(code));
  }
  LARGE_INTEGER size;
  if (GetFileType(handle) != FILE_TYPE_DISK || !GetFileSizeEx(handle, &size)) {
    CloseHandle(handle);
    return unreadable(path, "not a regular file");
  }
  return ReadFile(reinterpret_cast<intptr_t>(handle), static_cast<uint64_t>(size.QuadPart));
}

ReadFile::~ReadFile() {
  if (handle_ != kNoHandle) CloseHandle(reinterpret_cast<HANDLE>(handle_));
}

bool ReadFile::read_at(uint64_t offset, void* to, size_t n) const {
  OVERLAPPED position = {};
  position.Offset = static_cast<DWORD>(offset);
  position.OffsetHigh = static_cast<DWORD>(offset >> 32);
  DWORD got = 0;
  return ::ReadFile(reinterpret_cast<HANDLE>(handle_), to, static_cast<DWORD>(n), &got, &position) && got == n;
}

Result<bool> lock_file_for_process_life(const std::string& path) {
  HANDLE handle = CreateFileW(wide(path).c_str(), GENERIC_READ | GENERIC_WRITE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, OPEN_ALWAYS,
                              FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) return unreadable(path, system_error(GetLastError()));
  OVERLAPPED whole = {};
  if (LockFileEx(handle, LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &whole)) return true;
  const DWORD code = GetLastError();
  CloseHandle(handle);
  if (code == ERROR_LOCK_VIOLATION || code == ERROR_IO_PENDING) return false;
  return unreadable(path, system_error(code));
}

#else

Result<ReadFile> ReadFile::open(const std::string& path) {
  // O_NONBLOCK: opening a named pipe must not wait for its writer.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return Error{ErrorCode::model_not_found, path + ": no such file", {{"path", path}}};
    }
    return unreadable(path, std::strerror(errno));
  }
  struct stat info;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return unreadable(path, "not a regular file");
  }
  return ReadFile(fd, static_cast<uint64_t>(info.st_size));
}

ReadFile::~ReadFile() {
  if (handle_ != kNoHandle) ::close(static_cast<int>(handle_));
}

bool ReadFile::read_at(uint64_t offset, void* to, size_t n) const {
  auto* at = static_cast<char*>(to);
  while (n > 0) {
    const ssize_t got = ::pread(static_cast<int>(handle_), at, n, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    offset += static_cast<uint64_t>(got);
    n -= static_cast<size_t>(got);
  }
  return true;
}

Result<bool> lock_file_for_process_life(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return unreadable(path, std::strerror(errno));
  // The descriptor stays open on purpose: the system drops the lock when the process ends, however it ends.
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
  const int code = errno;
  ::close(fd);
  if (code == EWOULDBLOCK) return false;
  return unreadable(path, std::strerror(code));
}

#endif

}  // namespace hotpath
