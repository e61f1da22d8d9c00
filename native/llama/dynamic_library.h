// A library opened at run time, with the system's own words when it cannot be.
#pragma once

#include <string>

namespace hotpath {

class DynamicLibrary {
 public:
  /// Holds nothing, and sets `problem`, when the library or one it needs cannot be opened.
  static DynamicLibrary open(const std::string& path, std::string& problem);
  DynamicLibrary(DynamicLibrary&& other) noexcept : handle_(other.handle_) { other.handle_ = nullptr; }
  ~DynamicLibrary();

  explicit operator bool() const { return handle_ != nullptr; }
  void* symbol(const char* name) const;

 private:
  explicit DynamicLibrary(void* handle) : handle_(handle) {}
  void* handle_;
};

}  // namespace hotpath
