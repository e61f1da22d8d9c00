// Brings a file into the memory that the system keeps of files, in pieces.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace hotpath {

/// Before llama.cpp maps a model: on Linux that is one call, which returns when the whole file has been read. From a cold disk
/// this is nearly all of the time a load takes, and in it nobody learns how far it is or can stop it. What is in memory
/// already costs next to nothing. `go_on` gets the bytes read so far after each piece; false ends it.
/// Does nothing where the system cannot do it.
void read_ahead(const std::string& path, const std::function<bool(uint64_t bytes)>& go_on);

/// Only on Linux: other systems read what is mapped when it is used.
bool is_worth_reading_ahead();

}  // namespace hotpath
