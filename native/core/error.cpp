#include "core/error.h"

#include <cstdarg>
#include <cstdio>

namespace hotpath {

const char* error_code_text(ErrorCode code) {
  static constexpr const char* kTexts[] = {
#define ERROR_CODE(name, text) text,
#include "core/error_codes.inc"
#undef ERROR_CODE
  };
  return kTexts[static_cast<size_t>(code)];
}

std::string format_text(const char* format, ...) {
  va_list args;
  va_start(args, format);
  va_list again;
  va_copy(again, args);
  std::string text(static_cast<size_t>(std::vsnprintf(nullptr, 0, format, args)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, format, again);
  va_end(again);
  va_end(args);
  return text;
}

std::string format_bytes(double bytes) {
  if (bytes >= 1e9) return format_text("%.1f GB", bytes / 1e9);
  if (bytes >= 1e6) return format_text("%.0f MB", bytes / 1e6);
  return format_text("%.0f bytes", bytes);
}

}  // namespace hotpath
