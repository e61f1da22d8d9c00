// What one token costs in one layer, in bytes: the solver's view of a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "activation/profile.h"
#include "hotcold/store.h"
#include "llama/model_file.h"

namespace hotpath {

/// How the network of a layer lets neurons be skipped.
enum class FfnKind {
  unsplit,     // fused or missing matrices, or types without kernels: only stock llama.cpp runs it
  dense,       // an activation that is never zero
  gated_relu,  // the gate tells which neurons are active
  relu,        // the up matrix tells
  experts,     // the router tells; they are placed whole, a layer's together
};

const char* ffn_kind_text(FfnKind kind);

struct LayerWork {
  // Attention, norms, router, shared experts: read for every token, on one device.
  uint64_t attention_bytes = 0;
  uint64_t kv_bytes = 0;       // memory of all sequences, full
  uint64_t kv_read_bytes = 0;  // per token, one sequence half full

  FfnKind kind = FfnKind::unsplit;
  uint64_t ffn_bytes = 0;             // memory, as stock llama.cpp keeps it
  double ffn_dense_read_bytes = 0;    // per token without skipping neurons: all, or the experts used
  uint32_t group_neurons = 0;         // of a group, the unit of placing
  double screen_bytes = 0;            // per neuron: read to know whether it is active
  double active_bytes = 0;            // per neuron: read when it is
  double record_bytes = 0;            // length of one of these reads
  double slot_bytes = 0;              // GPU memory of all rows of one neuron
  std::vector<double> hottest_active; // (n_groups + 1), neurons active per token in the hottest 0, 1, ... groups

  /// Whether single neurons can be placed.
  bool is_splittable() const { return kind != FfnKind::unsplit && kind != FfnKind::experts; }
  uint32_t n_groups() const { return hottest_active.empty() ? 0 : static_cast<uint32_t>(hottest_active.size() - 1); }
  /// Neurons active per token in each group, hottest first.
  void set_activity(const std::vector<double>& groups);
};

struct ModelWork {
  std::vector<LayerWork> layers;
  uint64_t head_bytes = 0;   // output matrix and norm, read for every token
  uint64_t input_bytes = 0;  // the embedding stays in RAM; one row is read per token
  hotcold::Mode mode = hotcold::Mode::dense;
  bool is_right_in_stock = true;   // llama.cpp computes the activation that the model has
  std::vector<std::string> notes;  // what was assumed, for people
};

struct WorkRequest {
  hotcold::Mode mode = hotcold::Mode::automatic;
  uint64_t context_tokens = 4096;  // of one sequence
  uint64_t n_sequences = 1;
  const ActivationProfile* profile = nullptr;
};

/// request/invalid when the model cannot run in the mode, or the profile has another shape.
Result<ModelWork> describe_work(const ModelFile& model, const WorkRequest& request);

/// Active neurons per group, hottest first, where no profile tells: half as uneven as ReluLLaMA-7B was measured to be.
std::vector<double> default_group_activity(uint32_t n_neurons, uint32_t group_neurons, double active_share);

}  // namespace hotpath
