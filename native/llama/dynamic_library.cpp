#include "llama/dynamic_library.h"

#if defined(_WIN32)
#include <windows.h>

#include <filesystem>
#else
#include <dlfcn.h>
#endif

namespace hotpath {

#if defined(_WIN32)

DynamicLibrary DynamicLibrary::open(const std::string& path, std::string& problem) {
  // Without these flags a missing dependency opens a dialogue box.
  const DWORD mode = SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX);
  HMODULE handle = LoadLibraryExW(std::filesystem::path(std::u8string(path.begin(), path.end())).c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  const DWORD code = GetLastError();
  SetErrorMode(mode);
  if (!handle) {
    problem = code == ERROR_MOD_NOT_FOUND ? "a library it needs is not installed" : "Windows error " + std::to_string(code);
  }
  return DynamicLibrary(handle);
}

DynamicLibrary::~DynamicLibrary() {
  if (handle_) FreeLibrary(static_cast<HMODULE>(handle_));
}

void* DynamicLibrary::symbol(const char* name) const {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(handle_), name));
}

#else

DynamicLibrary DynamicLibrary::open(const std::string& path, std::string& problem) {
  void* handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* text = ::dlerror();
    problem = text ? text : "cannot be opened";
  }
  return DynamicLibrary(handle);
}

DynamicLibrary::~DynamicLibrary() {
  if (handle_) ::dlclose(handle_);
}

void* DynamicLibrary::symbol(const char* name) const { return ::dlsym(handle_, name); }

#endif

}  // namespace hotpath
