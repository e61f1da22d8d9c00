// UTF-8 at the borders: tokens may end inside a character, callers may hand in anything.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hotpath {

/// Bytes at the front that are whole characters; what follows may be completed by more bytes.
size_t complete_utf8_length(std::string_view text);

/// The text with U+FFFD in place of every sequence that is no UTF-8.
std::string valid_utf8(std::string_view text);

}  // namespace hotpath
