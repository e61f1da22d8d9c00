// What the machine offers: memory that can be had now, and cores.
#pragma once

#include <cstdint>

namespace hotpath {

/// Bytes a new allocation can have without swapping, the limit of a container included.
uint64_t available_memory_bytes();

/// Physical cores this process may run on, at least 1.
int physical_core_count();

}  // namespace hotpath
