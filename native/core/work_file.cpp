#include "core/work_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#if defined(_WIN32)
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace hotpath {

namespace {

namespace fs = std::filesystem;

constexpr intptr_t kNoHandle = -1;

fs::path native_path(const std::string& path) { return fs::path(std::u8string(path.begin(), path.end())); }

Error unwritable(const std::string& path, const std::string& why) {
  return {ErrorCode::file_unwritable, path + ": " + why, {{"path", path}}};
}

const char* const kInUse = "another program is writing it";

}  // namespace

#if defined(_WIN32)

namespace {

HANDLE handle_of(intptr_t handle) { return reinterpret_cast<HANDLE>(handle); }

std::string last_error() { return std::system_category().message(static_cast<int>(GetLastError())); }

OVERLAPPED at(uint64_t offset) {
  OVERLAPPED position = {};
  position.Offset = static_cast<DWORD>(offset);
  position.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return position;
}

}  // namespace

Result<WorkFile> WorkFile::open(const std::string& path) {
  HANDLE handle = CreateFileW(native_path(path).c_str(), GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, nullptr, OPEN_ALWAYS,
                              FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle != INVALID_HANDLE_VALUE) return WorkFile(reinterpret_cast<intptr_t>(handle), path);
  return unwritable(path, GetLastError() == ERROR_SHARING_VIOLATION ? kInUse : last_error());
}

void WorkFile::close() {
  if (handle_ != kNoHandle) CloseHandle(handle_of(handle_));
  handle_ = kNoHandle;
}

Result<uint64_t> WorkFile::size() const {
  LARGE_INTEGER size;
  if (!GetFileSizeEx(handle_of(handle_), &size)) return unwritable(path_, last_error());
  return static_cast<uint64_t>(size.QuadPart);
}

Result<Done> WorkFile::resize(uint64_t size) {
  FILE_END_OF_FILE_INFO end;
  end.EndOfFile.QuadPart = static_cast<LONGLONG>(size);
  if (!SetFileInformationByHandle(handle_of(handle_), FileEndOfFileInfo, &end, sizeof end)) return unwritable(path_, last_error());
  return Done{};
}

bool WorkFile::read_at(uint64_t offset, void* to, size_t n) const {
  OVERLAPPED position = at(offset);
  DWORD got = 0;
  return ::ReadFile(handle_of(handle_), to, static_cast<DWORD>(n), &got, &position) && got == n;
}

Result<Done> WorkFile::write_at(uint64_t offset, const void* from, size_t n) {
  OVERLAPPED position = at(offset);
  DWORD written = 0;
  if (!::WriteFile(handle_of(handle_), from, static_cast<DWORD>(n), &written, &position) || written != n) {
    return unwritable(path_, last_error());
  }
  return Done{};
}

#else

Result<WorkFile> WorkFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return unwritable(path, std::strerror(errno));
  WorkFile file(fd, path);
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) return unwritable(path, errno == EWOULDBLOCK ? kInUse : std::strerror(errno));
  // Whoever had it may have finished between the two calls: then this is the finished file.
  struct stat locked, named;
  if (::fstat(fd, &locked) != 0 || ::stat(path.c_str(), &named) != 0 || locked.st_ino != named.st_ino) {
    return unwritable(path, kInUse);
  }
  return file;
}

void WorkFile::close() {
  if (handle_ != kNoHandle) ::close(static_cast<int>(handle_));
  handle_ = kNoHandle;
}

Result<uint64_t> WorkFile::size() const {
  struct stat info;
  if (::fstat(static_cast<int>(handle_), &info) != 0) return unwritable(path_, std::strerror(errno));
  return static_cast<uint64_t>(info.st_size);
}

Result<Done> WorkFile::resize(uint64_t size) {
  if (::ftruncate(static_cast<int>(handle_), static_cast<off_t>(size)) != 0) return unwritable(path_, std::strerror(errno));
  return Done{};
}

bool WorkFile::read_at(uint64_t offset, void* to, size_t n) const {
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

Result<Done> WorkFile::write_at(uint64_t offset, const void* from, size_t n) {
  const auto* at = static_cast<const char*>(from);
  while (n > 0) {
    const ssize_t written = ::pwrite(static_cast<int>(handle_), at, n, static_cast<off_t>(offset));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return unwritable(path_, std::strerror(errno));
    at += written;
    offset += static_cast<uint64_t>(written);
    n -= static_cast<size_t>(written);
  }
  return Done{};
}

#endif

WorkFile::WorkFile(WorkFile&& other) noexcept : handle_(other.handle_), path_(std::move(other.path_)) { other.handle_ = kNoHandle; }

WorkFile::~WorkFile() { close(); }

Result<Done> WorkFile::finish_as(const std::string& path) {
#if defined(_WIN32)
  if (!FlushFileBuffers(handle_of(handle_))) return unwritable(path_, last_error());
  close();  // an open file cannot be renamed
#else
  if (::fsync(static_cast<int>(handle_)) != 0) return unwritable(path_, std::strerror(errno));
#endif
  std::error_code error;
  fs::rename(native_path(path_), native_path(path), error);
  if (error) return unwritable(path, "cannot be replaced by " + path_ + ": " + error.message());
  close();
  return Done{};
}

void WorkFile::discard() {
  close();
  std::error_code ignored;  // a file left behind harms nobody
  fs::remove(native_path(path_), ignored);
}

Result<Done> require_disk_space(const std::string& path, uint64_t bytes) {
  std::error_code error;
  const fs::path folder = fs::absolute(native_path(path), error).parent_path();
  const fs::space_info space = error ? fs::space_info{} : fs::space(folder, error);
  if (error) return unwritable(path, error.message());
  if (space.available >= bytes) return Done{};
  return unwritable(path, "needs " + format_bytes(static_cast<double>(bytes)) + ", the disk has " +
                              format_bytes(static_cast<double>(space.available)) + " free");
}

}  // namespace hotpath
