// Files that are read and written as a whole, such as profiles and plans. Paths are UTF-8 on every platform.
#pragma once

#include <string>
#include <string_view>

#include "core/error.h"

namespace hotpath {

/// file/unreadable when it is larger than `max_bytes`, too.
Result<std::string> read_whole_file(const std::string& path, uint64_t max_bytes);

/// All or nothing: readers see the old file or the new one, and a full disk leaves the old one. file/unwritable otherwise.
Result<Done> write_whole_file(const std::string& path, std::string_view bytes);

/// Whether write_whole_file() would be let; leaves what is there as it is.
Result<Done> check_writable(const std::string& path);

}  // namespace hotpath
