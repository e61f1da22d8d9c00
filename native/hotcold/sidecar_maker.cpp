#include "hotcold/sidecar_maker.h"

#include <algorithm>

#include "core/hash.h"
#include "hotcold/matrices.h"
#include "hotcold/store.h"

namespace hotpath::hotcold {

namespace {

// What one call to the system moves: Windows counts in 32 bits, and between two of them there is time to cancel.
constexpr size_t kBlockBytes = size_t{16} << 20;

/// Layout is the same for every instruction set.
constexpr Isa kPackingIsa = Isa::generic;

Error cancelled() { return {ErrorCode::request_cancelled, "preparing was cancelled; run it again to go on", {}}; }

uint64_t total_bytes(const SidecarHeader& header) {
  uint64_t total = 0;
  for (const SidecarEntry& entry : header.entries) total += entry.bytes;
  return total;
}

/// Bytes of the file in blocks; false at the first that cannot be read or when cancelled.
template <typename Visit>
bool for_each_block(uint64_t offset, uint64_t n, const CancelFlag& cancel, Visit&& visit) {
  for (uint64_t done = 0; done < n; done += kBlockBytes) {
    if (cancel.raised() || !visit(offset + done, static_cast<size_t>(std::min<uint64_t>(kBlockBytes, n - done)))) return false;
  }
  return true;
}

bool has_hash(const WorkFile& file, const SidecarEntry& entry, const CancelFlag& cancel) {
  std::vector<uint8_t> block(std::min<uint64_t>(kBlockBytes, entry.bytes));
  uint64_t hash = 0;
  const bool was_read = for_each_block(entry.offset, entry.bytes, cancel, [&](uint64_t at, size_t n) {
    if (!file.read_at(at, block.data(), n)) return false;
    hash = xxh64(std::span(block).first(n), hash);
    return true;
  });
  return was_read && hash == entry.packed_hash;
}

uint64_t hash_in_blocks(std::span<const uint8_t> bytes) {
  uint64_t hash = 0;
  for (size_t at = 0; at < bytes.size(); at += kBlockBytes) {
    hash = xxh64(bytes.subspan(at, std::min(kBlockBytes, bytes.size() - at)), hash);
  }
  return hash;
}

bool is_same_matrix(const SidecarEntry& a, const SidecarEntry& b) {
  return a.name == b.name && a.layout == b.layout && a.type == b.type && a.shape == b.shape && a.bytes == b.bytes;
}

bool is_same_entry(const SidecarEntry& a, const SidecarEntry& b) { return is_same_matrix(a, b) && a.offset == b.offset; }

bool is_same_plan(const SidecarHeader& a, const SidecarHeader& b) {
  return a.layout_version == b.layout_version && a.model == b.model &&
         std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(), is_same_entry);
}

const GgufTensor& tensor_of(const SidecarModel& model, const SidecarEntry& entry) {
  const auto found = std::find_if(model.header.tensors.begin(), model.header.tensors.end(),
                                  [&](const GgufTensor& tensor) { return tensor.name == entry.name; });
  CHECK(found != model.header.tensors.end());
  return *found;
}

Result<std::vector<uint8_t>> read_tensor(const SidecarModel& model, const GgufTensor& tensor, const CancelFlag& cancel) {
  std::vector<uint8_t> bytes(tensor.bytes);
  const bool was_read = for_each_block(0, tensor.bytes, cancel, [&](uint64_t at, size_t n) {
    return model.source.read(model.header.header_bytes + tensor.offset + at, bytes.data() + at, n);
  });
  if (was_read) return bytes;
  if (cancel.raised()) return cancelled();
  return Error{ErrorCode::file_unreadable, model.source.name + ": " + tensor.name + " cannot be read", {{"path", model.source.name}}};
}

Result<Done> write_packed(WorkFile& file, const SidecarEntry& entry, std::span<const uint8_t> packed, const CancelFlag& cancel) {
  CHECK(packed.size() == entry.bytes);
  Result<Done> result = Done{};
  const bool was_written = for_each_block(0, packed.size(), cancel, [&](uint64_t at, size_t n) {
    result = file.write_at(entry.offset + at, packed.data() + at, n);
    return static_cast<bool>(result);
  });
  return was_written || !result ? result : cancelled();
}

/// Packs, writes, and only then notes the hashes.
Result<Done> pack_entry(const SidecarModel& model, WorkFile& file, SidecarEntry& entry, size_t entry_idx, const CancelFlag& cancel) {
  auto tensor = read_tensor(model, tensor_of(model, entry), cancel);
  if (!tensor) return tensor.error();
  entry.model_hash = hash_in_blocks(*tensor);
  const auto write = [&](auto matrix) {
    matrix.pack(tensor->data());
    entry.packed_hash = hash_in_blocks(matrix.packed());
    return write_packed(file, entry, matrix.packed(), cancel);
  };
  const auto& [first, second, n_experts] = entry.shape;
  auto written = entry.layout == SidecarLayout::rows
                     ? write(Rows(*row_kernels(entry.type, kPackingIsa), first, second, n_experts))
                     : write(Down(*down_kernels(entry.type, DownScales::across_neurons, kPackingIsa), first, second, n_experts));
  if (!written) return written;
  const uint64_t hashes[] = {entry.packed_hash, entry.model_hash};
  return file.write_at(sidecar_hashes_offset(entry_idx), hashes, sizeof hashes);
}

}  // namespace

SidecarHeader plan_sidecar(const WeightsIdentity& model, std::span<const GgufTensor> neurons, std::span<const GgufTensor> plain) {
  SidecarHeader header = {kPackedLayoutVersion, model, {}, {}};
  const auto add = [&header](const GgufTensor& tensor, SidecarLayout layout) {
    const uint64_t bytes = layout == SidecarLayout::down
                               ? packed_bytes(*down_kernels(tensor.type, DownScales::across_neurons, kPackingIsa), tensor.shape.data())
                               : packed_bytes(*row_kernels(tensor.type, kPackingIsa), tensor.shape.data());
    header.entries.push_back({tensor.name, layout, tensor.type, {tensor.shape[0], tensor.shape[1], tensor.shape[2]}, 0, bytes});
  };
  for (const GgufTensor& tensor : neurons) {
    const auto name = parse_weight_name(tensor.name);
    CHECK(name && !name->bias);
    add(tensor, name->part == Part::down ? SidecarLayout::down : SidecarLayout::rows);
  }
  for (const GgufTensor& tensor : plain) add(tensor, SidecarLayout::rows);
  header.place_entries();
  return header;
}

bool holds_all(const SidecarHeader& there, const SidecarHeader& wanted) {
  return std::all_of(wanted.entries.begin(), wanted.entries.end(), [&](const SidecarEntry& entry) {
    return std::any_of(there.entries.begin(), there.entries.end(), [&](const SidecarEntry& other) { return is_same_matrix(entry, other); });
  });
}

size_t resume_sidecar(const WorkFile& file, SidecarHeader& header, const CancelFlag& cancel) {
  const auto size = file.size();
  if (!size) return 0;
  const ByteSource source = {file.path(), *size, [&file](uint64_t offset, void* to, size_t n) { return file.read_at(offset, to, n); }};
  auto found = read_sidecar_header(source, SidecarState::in_the_making);
  if (!found || !is_same_plan(*found, header)) return 0;
  for (size_t i = 0; i < header.entries.size(); ++i) {
    const SidecarEntry& entry = found->entries[i];
    if (entry.packed_hash == 0 || !has_hash(file, entry, cancel)) return i;
    header.entries[i] = entry;
  }
  return header.entries.size();
}

Result<Done> pack_sidecar(const SidecarModel& model, WorkFile& file, SidecarHeader& header, size_t first,
                          const OnPacked& on_packed, const CancelFlag& cancel) {
  const uint64_t total = total_bytes(header);
  if (first == 0) {
    if (auto emptied = file.resize(0); !emptied) return emptied;
    const std::vector<uint8_t> bytes = write_sidecar_header(header, SidecarState::in_the_making);
    if (auto written = file.write_at(0, bytes.data(), bytes.size()); !written) return written;
  }
  uint64_t done = 0;
  for (size_t i = 0; i < header.entries.size(); ++i) {
    if (i >= first) {
      if (auto packed = pack_entry(model, file, header.entries[i], i, cancel); !packed) return packed;
    }
    done += header.entries[i].bytes;
    if (i + 1 >= first && on_packed) on_packed(done, total);
  }
  return Done{};
}

Result<Done> check_sidecar(const SidecarModel& model, const Sidecar& sidecar, const OnPacked& on_checked, const CancelFlag& cancel) {
  const uint64_t total = total_bytes(sidecar.header());
  uint64_t done = 0;
  for (const SidecarEntry& entry : sidecar.header().entries) {
    if (hash_in_blocks(sidecar.packed(entry)) != entry.packed_hash) {
      return Error{ErrorCode::sidecar_invalid, sidecar.path() + ": " + entry.name + " is damaged", {{"path", sidecar.path()}}};
    }
    auto tensor = read_tensor(model, tensor_of(model, entry), cancel);
    if (!tensor) return tensor.error();
    if (hash_in_blocks(*tensor) != entry.model_hash) {
      return Error{ErrorCode::sidecar_invalid, sidecar.path() + ": " + entry.name + " has changed in the model file", {{"path", sidecar.path()}}};
    }
    done += entry.bytes;
    if (on_checked) on_checked(done, total);
  }
  return Done{};
}

}  // namespace hotpath::hotcold
