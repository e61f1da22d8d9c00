#include "activation/profile.h"

#include <algorithm>
#include <numeric>

#include "core/byte_codec.h"
#include "core/file.h"
#include "core/whole_file.h"

namespace hotpath {

namespace {

constexpr std::string_view kMagic = "HOTPROFI";
constexpr uint32_t kVersion = 1;
constexpr size_t kMaxNameBytes = 4096;
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 30;
// Counts stay below this however many runs are merged, so that the sum of a layer's counts cannot overflow.
constexpr uint64_t kMaxTokens = uint64_t{1} << 33;

uint64_t total(const LayerActivity& layer) { return std::accumulate(layer.counts.begin(), layer.counts.end(), uint64_t{0}); }

/// Keeps the proportions of a layer that has seen more tokens than can be counted.
void limit(LayerActivity& layer) {
  while (layer.tokens > kMaxTokens) {
    layer.tokens /= 2;
    for (uint64_t& count : layer.counts) count /= 2;
  }
}

bool read_layer(ByteReader& reader, LayerActivity& layer) {
  layer.tokens = reader.count(kMaxTokens);
  layer.counts.resize(reader.count(reader.remaining()));
  uint64_t before = 0;
  for (uint64_t& count : layer.counts) {
    count = before = reader.step(before);
    if (count > layer.tokens) return false;
  }
  return !reader.failed();
}

}  // namespace

Result<ModelIdentity> identify_model(const ByteSource& source, const GgufHeader& header) {
  ModelIdentity identity = {hash_bytes({}), source.size};
  std::vector<char> window(1 << 16);
  for (uint64_t at = 0; at < header.header_bytes; at += window.size()) {
    const auto n = static_cast<size_t>(std::min<uint64_t>(window.size(), header.header_bytes - at));
    if (!source.read(at, window.data(), n)) {
      return Error{ErrorCode::file_unreadable, source.name + ": read error", {{"path", source.name}}};
    }
    identity.header_hash = hash_bytes({window.data(), n}, identity.header_hash);
  }
  return identity;
}

Result<ModelIdentity> identify_model_file(const std::string& path) {
  auto file = ReadFile::open(path);
  if (!file) return file.error();
  const ByteSource source = file_source(path, *file);
  const auto header = read_gguf_header(source);
  if (!header) return header.error();
  return identify_model(source, *header);
}

Result<Done> merge_profile(ActivationProfile& into, const ActivationProfile& other) {
  const auto refuse = [&](const std::string& what) {
    return Error{ErrorCode::request_invalid,
                 "profiles of different models cannot be merged: " + into.model_name + " and " + other.model_name + " " + what,
                 {{"model", into.model_name}, {"other", other.model_name}}};
  };
  if (!(into.model == other.model)) return refuse("are not the same file");
  if (into.layers.size() != other.layers.size()) return refuse("have different numbers of layers");
  for (size_t i = 0; i < into.layers.size(); ++i) {
    if (into.layers[i].counts.size() != other.layers[i].counts.size()) {
      return refuse(format_text("differ in the width of layer %zu", i));
    }
  }
  for (size_t i = 0; i < into.layers.size(); ++i) {
    LayerActivity& layer = into.layers[i];
    layer.tokens += other.layers[i].tokens;
    for (size_t n = 0; n < layer.counts.size(); ++n) layer.counts[n] += other.layers[i].counts[n];
    limit(layer);
  }
  return Done{};
}

double hottest_share(const LayerActivity& layer, double share) {
  const uint64_t all = total(layer);
  if (all == 0) return 0;
  std::vector<uint64_t> sorted = layer.counts;
  const auto n = static_cast<size_t>(share * static_cast<double>(sorted.size()) + 0.5);
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<ptrdiff_t>(std::min(n, sorted.size() - 1)), sorted.end(),
                   std::greater<>());
  const uint64_t hot = std::accumulate(sorted.begin(), sorted.begin() + static_cast<ptrdiff_t>(std::min(n, sorted.size())), uint64_t{0});
  return static_cast<double>(hot) / static_cast<double>(all);
}

std::vector<uint32_t> hottest_first(const LayerActivity& layer) {
  std::vector<uint32_t> neurons(layer.counts.size());
  std::iota(neurons.begin(), neurons.end(), 0u);
  std::stable_sort(neurons.begin(), neurons.end(), [&](uint32_t a, uint32_t b) { return layer.counts[a] > layer.counts[b]; });
  return neurons;
}

double active_share(const LayerActivity& layer) {
  if (layer.tokens == 0 || layer.counts.empty()) return 0;
  return static_cast<double>(total(layer)) / (static_cast<double>(layer.tokens) * static_cast<double>(layer.counts.size()));
}

std::string encode_profile(const ActivationProfile& profile) {
  ByteWriter writer;
  writer.u64(profile.model.header_hash);
  writer.u64(profile.model.file_bytes);
  writer.text(std::string_view(profile.model_name).substr(0, kMaxNameBytes));
  writer.varint(profile.layers.size());
  for (const LayerActivity& layer : profile.layers) {
    writer.varint(layer.tokens);
    writer.varint(layer.counts.size());
    uint64_t before = 0;
    for (const uint64_t count : layer.counts) {
      writer.step(before, count);
      before = count;
    }
  }
  return seal(kMagic, kVersion, writer.bytes());
}

Result<ActivationProfile> decode_profile(std::string_view bytes, const std::string& path) {
  const auto payload = unseal(bytes, kMagic, kVersion, path);
  if (!payload) return payload.error();
  ByteReader reader(*payload);
  ActivationProfile profile;
  profile.model.header_hash = reader.u64();
  profile.model.file_bytes = reader.u64();
  profile.model_name = reader.text(kMaxNameBytes);
  // A layer takes two bytes or more; reserving nothing keeps a lying count harmless all the same.
  const uint64_t n_layers = reader.count(reader.remaining() / 2);
  for (uint64_t i = 0; i < n_layers; ++i) {
    LayerActivity layer;
    if (!read_layer(reader, layer)) break;
    profile.layers.push_back(std::move(layer));
  }
  if (!reader.at_end() || profile.layers.size() != n_layers) {
    return Error{ErrorCode::file_unreadable, path + ": its counts make no sense", {{"path", path}}};
  }
  return profile;
}

Result<ActivationProfile> load_profile(const std::string& path) {
  const auto bytes = read_whole_file(path, kMaxFileBytes);
  if (!bytes) return bytes.error();
  return decode_profile(*bytes, path);
}

Result<Done> save_profile(const ActivationProfile& profile, const std::string& path) {
  return write_whole_file(path, encode_profile(profile));
}

}  // namespace hotpath
