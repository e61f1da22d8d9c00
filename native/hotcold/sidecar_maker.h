// Packs the weights of a model file into a sidecar, from where an interrupted attempt left off.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"
#include "core/work_file.h"
#include "hotcold/sidecar.h"

namespace hotpath::hotcold {

/// A model file with what its header says.
struct SidecarModel {
  const ByteSource& source;
  const GgufHeader& header;
  WeightsIdentity identity;
};

using OnPacked = std::function<void(uint64_t bytes, uint64_t total_bytes)>;

/// What a sidecar would hold with these FFN matrices, `neurons`, and these that are plainly multiplied, of an FFN or not;
/// all have kernels. Its hashes are still to come.
SidecarHeader plan_sidecar(const WeightsIdentity& model, std::span<const GgufTensor> neurons, std::span<const GgufTensor> plain = {});

/// Whether a file with the one header has every matrix of the other, in the same layout.
bool holds_all(const SidecarHeader& there, const SidecarHeader& wanted);

/// What the file holds of this already: entries whose bytes have the hash that is noted for them, up to the first that
/// has not. Sets their hashes; the number of entries.
size_t resume_sidecar(const WorkFile& file, SidecarHeader& header, const CancelFlag& cancel);

/// Packs the entries from `first` on, noting each when it is written, so that any end but the last can be resumed.
Result<Done> pack_sidecar(const SidecarModel& model, WorkFile& file, SidecarHeader& header, size_t first,
                          const OnPacked& on_packed, const CancelFlag& cancel);

/// Compares every byte with its hash, those of the model too. sidecar/invalid, naming the first tensor that differs.
Result<Done> check_sidecar(const SidecarModel& model, const Sidecar& sidecar, const OnPacked& on_checked, const CancelFlag& cancel);

}  // namespace hotpath::hotcold
