#include "core/mapped_file.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#if defined(_WIN32)
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

namespace hotpath {

namespace {

Error unmappable(const std::string& path, const std::string& why) {
  return {ErrorCode::file_unreadable, path + ": cannot be mapped: " + why, {{"path", path}}};
}

#if defined(_WIN32)

std::span<const uint8_t> map(const std::string& path, std::string& why) {
  const std::filesystem::path native(std::u8string(path.begin(), path.end()));
  HANDLE file = CreateFileW(native.c_str(), GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                            OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  LARGE_INTEGER size = {};
  const bool is_open = file != INVALID_HANDLE_VALUE && GetFileSizeEx(file, &size);
  HANDLE mapping = is_open ? CreateFileMappingW(file, nullptr, PAGE_READONLY, 0, 0, nullptr) : nullptr;
  // The view keeps what it needs of both.
  const void* view = mapping ? MapViewOfFile(mapping, FILE_MAP_READ, 0, 0, 0) : nullptr;
  if (!view) why = "Windows error " + std::to_string(GetLastError());
  if (mapping) CloseHandle(mapping);
  if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
  return {static_cast<const uint8_t*>(view), view ? static_cast<size_t>(size.QuadPart) : 0};
}

void unmap(const uint8_t* data, size_t) { UnmapViewOfFile(data); }

#else

std::span<const uint8_t> map(const std::string& path, std::string& why) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info = {};
  const bool is_open = fd >= 0 && ::fstat(fd, &info) == 0;
  const auto size = static_cast<size_t>(info.st_size);
  void* view = is_open ? ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
  if (view == MAP_FAILED) why = std::strerror(errno);
  if (fd >= 0) ::close(fd);
  if (view == MAP_FAILED) return {};
  ::madvise(view, size, MADV_WILLNEED);
  return {static_cast<const uint8_t*>(view), size};
}

void unmap(const uint8_t* data, size_t size) { ::munmap(const_cast<uint8_t*>(data), size); }

#endif

}  // namespace

Result<MappedFile> MappedFile::open(const std::string& path) {
  std::string why;
  const std::span<const uint8_t> bytes = map(path, why);
  if (bytes.empty()) return unmappable(path, why);
  return MappedFile(bytes.data(), bytes.size());
}

MappedFile::MappedFile(MappedFile&& other) noexcept : data_(other.data_), size_(other.size_) { other.data_ = nullptr; }

MappedFile::~MappedFile() {
  if (data_) unmap(data_, size_);
}

}  // namespace hotpath
