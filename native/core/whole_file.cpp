#include "core/whole_file.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "core/file.h"

namespace hotpath {

namespace {

std::filesystem::path to_path(const std::string& utf8) { return std::filesystem::path(std::u8string(utf8.begin(), utf8.end())); }

Error unwritable(const std::string& path, const std::string& why) {
  return {ErrorCode::file_unwritable, path + ": " + why, {{"path", path}}};
}

bool is_file_name(const std::string& path) { return !path.empty() && path.find('\0') == std::string::npos; }

/// Beside the file, because only there a rename cannot fail for being on another disk.
std::string temporary_name(const std::string& path) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return path + format_text(".%llx.tmp", (unsigned long long)now);
}

/// Empty, or why it could not be written.
std::string write(const std::filesystem::path& path, std::string_view bytes) {
  errno = 0;
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();  // the disk may turn out to be full only here
  if (file) return "";
  return errno != 0 ? std::strerror(errno) : "write error";
}

}  // namespace

Result<std::string> read_whole_file(const std::string& path, uint64_t max_bytes) {
  auto file = ReadFile::open(path);
  if (!file) {
    // The code names a model because only models were read before; here any file can be missing.
    if (file.error().code == ErrorCode::model_not_found) file.error().code = ErrorCode::file_unreadable;
    return file.error();
  }
  const auto refuse = [&](const std::string& why) {
    return Error{ErrorCode::file_unreadable, path + ": " + why, {{"path", path}}};
  };
  if (file->size() > max_bytes) {
    return refuse(format_text("has %llu bytes, %llu are the limit", (unsigned long long)file->size(), (unsigned long long)max_bytes));
  }
  std::string bytes(static_cast<size_t>(file->size()), '\0');
  if (!file->read_at(0, bytes.data(), bytes.size())) return refuse("read error");
  return bytes;
}

Result<Done> check_writable(const std::string& path) {
  std::error_code ignored;
  if (!is_file_name(path) || std::filesystem::is_directory(to_path(path), ignored)) return unwritable(path, "not the name of a file");
  const std::filesystem::path temporary = to_path(temporary_name(path));
  const std::string why = write(temporary, "");
  std::filesystem::remove(temporary, ignored);
  if (!why.empty()) return unwritable(path, why);
  return Done{};
}

Result<Done> write_whole_file(const std::string& path, std::string_view bytes) {
  if (!is_file_name(path)) return unwritable(path, "not the name of a file");
  const std::filesystem::path temporary = to_path(temporary_name(path));
  std::string why = write(temporary, bytes);
  std::error_code failed;
  if (why.empty()) {
    std::filesystem::rename(temporary, to_path(path), failed);
    if (!failed) return Done{};
    why = failed.message();
  }
  std::filesystem::remove(temporary, failed);  // what matters was said already
  return unwritable(path, why);
}

}  // namespace hotpath
