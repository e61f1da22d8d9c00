// The sidecar of a model: its FFN weights as the hot/cold kernels want them in memory, to be mapped instead of packed.
//
//   header   magic, versions, which model, how well it was reproduced, hash of header and table
//   table    one entry per tensor: name, type, shape, where its bytes are, their hash and that of the model's own
//   data     each tensor from a multiple of 4096 on
//
// Numbers are little-endian. A file in the making has the same form with hashes of 0 where nothing is written yet.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "formats/gguf_header.h"

namespace hotpath {

/// What tells a model file from another: its size, its header, and a block from the middle of each tensor. Cheap enough for
/// every load; two models that agree in it but not in their weights would have to agree in thousands of bytes of each matrix.
/// A profile or a plan names its model by less (ModelIdentity), as it only goes to waste with another: a sidecar's bytes
/// replace the weights.
struct WeightsIdentity {
  uint64_t file_bytes = 0;
  uint64_t header_hash = 0;
  uint64_t sample_hash = 0;
  bool operator==(const WeightsIdentity&) const = default;
};

Result<WeightsIdentity> identify_weights(const ByteSource& source, const GgufHeader& header);

enum class SidecarLayout : uint32_t { rows = 1, down = 2 };

struct SidecarEntry {
  std::string name;
  SidecarLayout layout;
  ggml_type type;
  std::array<int64_t, 3> shape;  // of the ggml tensor
  uint64_t offset;               // from the start of the file
  uint64_t bytes;
  uint64_t packed_hash = 0;
  uint64_t model_hash = 0;
};

/// How far the next-token probabilities are from those of llama.cpp, in nats, over the positions of a text.
struct Divergence {
  double mean = 0;
  double max = 0;
  double top_agreement = 0;  // share of positions with the same most likely token
  uint32_t n_tokens = 0;     // 0: not measured
};

struct SidecarHeader {
  uint32_t layout_version = 0;
  WeightsIdentity model;
  Divergence divergence;
  std::vector<SidecarEntry> entries;

  /// Gives the entries their places, one after the other; the size of the file.
  uint64_t place_entries();
};

enum class SidecarState { whole, in_the_making };

/// Any bytes give a header or sidecar/invalid. What is `whole` has the right size, the right hash of header and table, and
/// all entries within the file; the hashes of the data are for the caller to check.
Result<SidecarHeader> read_sidecar_header(const ByteSource& source, SidecarState state);

/// Header and table. Only a file that is whole gets a hash that readers accept.
std::vector<uint8_t> write_sidecar_header(const SidecarHeader& header, SidecarState state);

/// Where in the file the two hashes of an entry are, one behind the other.
uint64_t sidecar_hashes_offset(size_t entry_idx);

}  // namespace hotpath
