// How often each neuron of a model was active: what decides which neurons are hot. Neurons of a layer with experts are
// numbered expert by expert.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "formats/gguf_header.h"

namespace hotpath {

/// Profiles of different models must never be mixed up; of two files of equal header and size nobody would.
struct ModelIdentity {
  uint64_t header_hash = 0;
  uint64_t file_bytes = 0;
  bool operator==(const ModelIdentity&) const = default;
};

/// Hashes the header: metadata, vocabulary and tensor table. Of a split model, the first part names it.
Result<ModelIdentity> identify_model(const ByteSource& source, const GgufHeader& header);

Result<ModelIdentity> identify_model_file(const std::string& path);

struct LayerActivity {
  uint64_t tokens = 0;
  std::vector<uint64_t> counts;  // (n_neurons), each at most `tokens`
  bool operator==(const LayerActivity&) const = default;
};

struct ActivationProfile {
  ModelIdentity model;
  std::string model_name;
  std::vector<LayerActivity> layers;  // of a layer without neurons to count: no counts
  bool operator==(const ActivationProfile&) const = default;
};

/// Adds what `other` saw. request/invalid when it is of another model.
Result<Done> merge_profile(ActivationProfile& into, const ActivationProfile& other);

/// Share of a layer's activations that its hottest `share` of neurons have; and the neurons, hottest first.
double hottest_share(const LayerActivity& layer, double share);
std::vector<uint32_t> hottest_first(const LayerActivity& layer);
/// Mean share of neurons that are active for a token.
double active_share(const LayerActivity& layer);

std::string encode_profile(const ActivationProfile& profile);
/// Total: any bytes give a profile or file/unreadable; memory stays within a small multiple of the bytes.
Result<ActivationProfile> decode_profile(std::string_view bytes, const std::string& path);

Result<ActivationProfile> load_profile(const std::string& path);
Result<Done> save_profile(const ActivationProfile& profile, const std::string& path);

}  // namespace hotpath
