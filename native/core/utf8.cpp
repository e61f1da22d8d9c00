#include "core/utf8.h"

#include <algorithm>

namespace hotpath {

namespace {

unsigned char byte_at(std::string_view text, size_t i) { return static_cast<unsigned char>(text[i]); }

bool is_continuation(unsigned char byte) { return (byte & 0xC0) == 0x80; }

/// Length a first byte announces; 0 for a byte that cannot begin a character.
size_t announced_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return 2;
  if (first >= 0xE0 && first <= 0xEF) return 3;
  if (first >= 0xF0 && first <= 0xF4) return 4;
  return 0;
}

/// Excludes overlong forms, surrogates and code points above U+10FFFF.
bool second_byte_fits(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xE0: return second >= 0xA0;
    case 0xED: return second <= 0x9F;
    case 0xF0: return second >= 0x90;
    case 0xF4: return second <= 0x8F;
    default: return true;
  }
}

/// Bytes from i on that agree with one character: its length when it is whole, less when it is cut or broken.
size_t agreeing_length(std::string_view text, size_t i) {
  const size_t length = announced_length(byte_at(text, i));
  size_t n = length == 0 ? 0 : 1;
  while (n < length && i + n < text.size() && is_continuation(byte_at(text, i + n))) {
    if (n == 1 && !second_byte_fits(byte_at(text, i), byte_at(text, i + 1))) break;
    ++n;
  }
  return n;
}

}  // namespace

size_t complete_utf8_length(std::string_view text) {
  const size_t first_candidate = text.size() < 3 ? 0 : text.size() - 3;
  for (size_t i = text.size(); i-- > first_candidate;) {
    if (is_continuation(byte_at(text, i))) continue;
    const size_t n = agreeing_length(text, i);
    return i + n == text.size() && n < announced_length(byte_at(text, i)) ? i : text.size();
  }
  return text.size();
}

std::string valid_utf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    const size_t n = agreeing_length(text, i);
    if (n > 0 && n == announced_length(byte_at(text, i))) {
      valid.append(text, i, n);
    } else {
      valid += "\xEF\xBF\xBD";
    }
    i += std::max<size_t>(n, 1);
  }
  return valid;
}

}  // namespace hotpath
