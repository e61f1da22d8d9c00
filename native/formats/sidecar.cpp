#include "formats/sidecar.h"

#include <algorithm>
#include <cstring>

#include "core/hash.h"

namespace hotpath {

namespace {

constexpr char kMagic[8] = {'H', 'P', 'A', 'C', 'K', 'E', 'D', '\n'};
constexpr uint32_t kVersion = 1;
constexpr uint64_t kDataAlignment = 4096;  // pages of the mapping, and of every disk
constexpr uint32_t kMaxEntries = 1 << 16;  // far above any model; bounds what a broken count can cost
constexpr size_t kSampleBytes = 4096;
constexpr size_t kReadBytes = 1 << 20;

/// As in the file.
struct RawHeader {
  char magic[8];
  uint32_t version;
  uint32_t layout_version;
  uint32_t n_entries;
  uint32_t n_tokens;
  uint64_t file_bytes;
  WeightsIdentity model;
  double mean_divergence;
  double max_divergence;
  double top_agreement;
  uint64_t hash;  // of header and table, this field being 0
};
static_assert(sizeof(RawHeader) == 88);

struct RawEntry {
  char name[GGML_MAX_NAME];  // ends with 0
  uint32_t layout;
  uint32_t type;
  int64_t shape[3];
  uint64_t offset;
  uint64_t bytes;
  uint64_t packed_hash;
  uint64_t model_hash;
};
static_assert(sizeof(RawEntry) == 128);

uint64_t aligned(uint64_t offset) { return (offset + kDataAlignment - 1) / kDataAlignment * kDataAlignment; }

uint64_t table_end(size_t n_entries) { return sizeof(RawHeader) + n_entries * sizeof(RawEntry); }

Error invalid(const ByteSource& source, const std::string& what) {
  return {ErrorCode::sidecar_invalid, source.name + ": " + what, {{"path", source.name}}};
}

/// Of the bytes of header and table, whatever their hash field says.
uint64_t hash_header(std::vector<uint8_t> bytes) {
  std::memset(bytes.data() + offsetof(RawHeader, hash), 0, sizeof(uint64_t));
  return xxh64(bytes);
}

bool is_known_type(uint32_t type) { return type < GGML_TYPE_COUNT && ggml_type_name(static_cast<ggml_type>(type)) != nullptr; }

/// Empty when the entry may be used. `free_from`: where the one before it ends.
std::string wrong_in(const RawEntry& entry, uint64_t free_from, uint64_t file_bytes) {
  if (entry.name[0] == 0 || !std::memchr(entry.name, 0, sizeof entry.name)) return "has no name";
  if (entry.layout != static_cast<uint32_t>(SidecarLayout::rows) && entry.layout != static_cast<uint32_t>(SidecarLayout::down)) {
    return format_text("has layout %u", entry.layout);
  }
  if (!is_known_type(entry.type)) return format_text("has type %u", entry.type);
  for (const int64_t n : entry.shape) {
    if (n <= 0 || n > INT32_MAX) return format_text("has a dimension of %lld", static_cast<long long>(n));
  }
  if (entry.offset % kDataAlignment != 0 || entry.offset < free_from || entry.offset > file_bytes ||
      entry.bytes == 0 || entry.bytes > file_bytes - entry.offset) {
    return format_text("has %llu bytes at %llu of %llu", static_cast<unsigned long long>(entry.bytes),
                       static_cast<unsigned long long>(entry.offset), static_cast<unsigned long long>(file_bytes));
  }
  return "";
}

SidecarEntry unpack(const RawEntry& raw) {
  return {raw.name, static_cast<SidecarLayout>(raw.layout), static_cast<ggml_type>(raw.type),
          {raw.shape[0], raw.shape[1], raw.shape[2]}, raw.offset, raw.bytes, raw.packed_hash, raw.model_hash};
}

RawEntry pack(const SidecarEntry& entry) {
  RawEntry raw = {};
  CHECK(!entry.name.empty() && entry.name.size() < sizeof raw.name);
  std::memcpy(raw.name, entry.name.data(), entry.name.size());
  raw.layout = static_cast<uint32_t>(entry.layout);
  raw.type = static_cast<uint32_t>(entry.type);
  std::copy(entry.shape.begin(), entry.shape.end(), raw.shape);
  raw.offset = entry.offset;
  raw.bytes = entry.bytes;
  raw.packed_hash = entry.packed_hash;
  raw.model_hash = entry.model_hash;
  return raw;
}

}  // namespace

Result<WeightsIdentity> identify_weights(const ByteSource& source, const GgufHeader& header) {
  const auto unreadable = [&] { return Error{ErrorCode::file_unreadable, source.name + ": read error", {{"path", source.name}}}; };
  WeightsIdentity identity = {source.size, 0, 0};
  std::vector<uint8_t> block(kReadBytes);
  for (uint64_t at = 0; at < header.header_bytes; at += block.size()) {
    block.resize(static_cast<size_t>(std::min<uint64_t>(kReadBytes, header.header_bytes - at)));
    if (!source.read(at, block.data(), block.size())) return unreadable();
    identity.header_hash = xxh64(block, identity.header_hash);
  }
  for (const GgufTensor& tensor : header.tensors) {
    block.resize(static_cast<size_t>(std::min<uint64_t>(kSampleBytes, tensor.bytes)));
    const uint64_t middle = (tensor.bytes - block.size()) / 2;
    if (!source.read(header.header_bytes + tensor.offset + middle, block.data(), block.size())) return unreadable();
    identity.sample_hash = xxh64(block, identity.sample_hash);
  }
  return identity;
}

uint64_t SidecarHeader::place_entries() {
  uint64_t offset = table_end(entries.size());
  for (SidecarEntry& entry : entries) {
    entry.offset = aligned(offset);
    offset = entry.offset + entry.bytes;
  }
  return offset;
}

Result<SidecarHeader> read_sidecar_header(const ByteSource& source, SidecarState state) {
  RawHeader raw;
  if (source.size < sizeof raw || !source.read(0, &raw, sizeof raw)) {
    return invalid(source, format_text("has %llu bytes, too few for a header", static_cast<unsigned long long>(source.size)));
  }
  if (std::memcmp(raw.magic, kMagic, sizeof kMagic) != 0) return invalid(source, "is no sidecar of Hotpath");
  if (raw.version != kVersion) return invalid(source, format_text("has version %u, this Hotpath reads %u", raw.version, kVersion));
  if (state == SidecarState::whole && raw.file_bytes != source.size) {
    return invalid(source, format_text("has %llu bytes, %llu were written", static_cast<unsigned long long>(source.size),
                                       static_cast<unsigned long long>(raw.file_bytes)));
  }
  if (raw.n_entries == 0 || raw.n_entries > kMaxEntries || table_end(raw.n_entries) > source.size) {
    return invalid(source, format_text("has a table of %u entries", raw.n_entries));
  }
  std::vector<uint8_t> bytes(table_end(raw.n_entries));
  if (!source.read(0, bytes.data(), bytes.size())) return invalid(source, "read error");
  if (state == SidecarState::whole && raw.hash != hash_header(bytes)) return invalid(source, "is not finished or damaged");

  SidecarHeader header = {raw.layout_version, raw.model,
                          {raw.mean_divergence, raw.max_divergence, raw.top_agreement, raw.n_tokens}, {}};
  uint64_t free_from = bytes.size();
  for (uint32_t i = 0; i < raw.n_entries; ++i) {
    RawEntry entry;
    std::memcpy(&entry, bytes.data() + table_end(i), sizeof entry);
    if (const std::string wrong = wrong_in(entry, free_from, raw.file_bytes); !wrong.empty()) {
      return invalid(source, format_text("entry %u ", i) + wrong);
    }
    free_from = entry.offset + entry.bytes;
    header.entries.push_back(unpack(entry));
  }
  return header;
}

std::vector<uint8_t> write_sidecar_header(const SidecarHeader& header, SidecarState state) {
  CHECK(!header.entries.empty() && header.entries.size() <= kMaxEntries);
  RawHeader raw = {};
  std::memcpy(raw.magic, kMagic, sizeof kMagic);
  raw.version = kVersion;
  raw.layout_version = header.layout_version;
  raw.n_entries = static_cast<uint32_t>(header.entries.size());
  raw.n_tokens = header.divergence.n_tokens;
  raw.file_bytes = header.entries.back().offset + header.entries.back().bytes;
  raw.model = header.model;
  raw.mean_divergence = header.divergence.mean;
  raw.max_divergence = header.divergence.max;
  raw.top_agreement = header.divergence.top_agreement;

  std::vector<uint8_t> bytes(table_end(header.entries.size()));
  std::memcpy(bytes.data(), &raw, sizeof raw);
  for (size_t i = 0; i < header.entries.size(); ++i) {
    const RawEntry entry = pack(header.entries[i]);
    std::memcpy(bytes.data() + table_end(i), &entry, sizeof entry);
  }
  if (state == SidecarState::whole) {
    raw.hash = hash_header(bytes);
    std::memcpy(bytes.data(), &raw, sizeof raw);
  }
  return bytes;
}

uint64_t sidecar_hashes_offset(size_t entry_idx) { return table_end(entry_idx) + offsetof(RawEntry, packed_hash); }

}  // namespace hotpath
