// A fast 64-bit hash that tells changed bytes from unchanged ones (XXH64). It protects against accidents, not attackers.
#pragma once

#include <cstdint>
#include <span>

namespace hotpath {

/// Bytes that come in pieces: the hash of one piece is the seed of the next.
uint64_t xxh64(std::span<const uint8_t> bytes, uint64_t seed = 0);

}  // namespace hotpath
