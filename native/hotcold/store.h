// What one loaded model has in our backend: its FFN weights by layer, how they are to be computed, and what was counted.
// Belongs to the loaded model, is filled while llama.cpp loads, and is used by one thread at a time.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "ggml-backend.h"
#include "hotcold/matrices.h"
#include "hotcold/neuron_function.h"
#include "hotcold/sidecar.h"

namespace hotpath::hotcold {

/// How FFNs are computed. All but `threshold` and `predicted` give what llama.cpp gives, up to the order of summation.
enum class Mode {
  automatic,  // exact where silent neurons are to be expected, else dense; only asked for, never chosen
  dense,      // llama.cpp's own code; this backend has no part in it
  exact,      // what multiplies with 0 is left out
  predicted,  // small matrices guess which neurons are active; lossy, audited
  threshold,  // values near 0 are taken as 0; lossy, calibrated
};

/// As in ModelSpec of src/protocol/model.ts.
const char* mode_name(Mode mode);
std::optional<Mode> mode_by_name(std::string_view name);

enum class Part { gate, up, down };

/// Of `blk.<layer>.ffn_<part>[_exps].<weight|bias>`.
struct WeightName {
  int layer;
  Part part;
  bool experts;
  bool bias;
};

std::optional<WeightName> parse_weight_name(std::string_view name);

/// Matrices of attention and the output, which come one by one where our kernels are faster: `blk.<layer>.attn_<..>.weight`
/// and `output.weight`.
bool is_plain_matrix(std::string_view name);

/// Of PowerInfer: neuron i is taken as active when (fc2 . relu(fc1 . residual))[i] >= threshold.
struct Predictor {
  Rows fc1;  // {n_embd, rank}
  Rows fc2;  // {rank, n_ff}
  float threshold = 0;
};

struct Layer {
  Rows gate;  // empty where the FFN has none
  Rows up;
  Down down;
  std::vector<float> gate_bias;
  std::vector<float> up_bias;
  std::vector<float> down_bias;
  std::optional<Predictor> predictor;
  uint64_t audited = 0;        // since the model was loaded: active neurons of audited tokens,
  uint64_t recalled = 0;       // and those of them that were predicted
  bool is_distrusted = false;  // its predictor missed too much: computed exactly
  bool is_unpredictable = false;  // what its predictor reads is out of reach: computed exactly
  float silence = 0;           // threshold mode: a neuron with |f(gate)| <= this is taken as silent
};

struct LayerStats {
  uint64_t neurons = 0;  // n_ff of the experts used, of every token
  uint64_t active = 0;   // those that were not 0, without those of a device
  uint64_t hot = 0;      // those that a device computed, active or not
  uint64_t sampled_hot = 0;         // of `hot`, those the observer was told of,
  uint64_t sampled_hot_active = 0;  // and how many of them were active
  uint64_t audited = 0;  // active ones of audited tokens, and how many of them were predicted
  uint64_t recalled = 0;
  uint64_t unpredicted = 0;    // tokens of predicted mode that were computed exactly, as the residual was out of reach
  bool is_distrusted = false;  // its predictor missed too much
};

struct Stats {
  uint64_t weight_bytes = 0;  // of FFNs, read from memory
  uint64_t dense_ops = 0;     // that came in no known shape and were left to ggml on unpacked weights
  std::vector<LayerStats> layers;

  uint64_t neurons() const;
  uint64_t active() const;
};

/// How often a size of |f(gate)| was seen; filled by several threads.
class SizeHistogram {
 public:
  void add(float value);
  /// The size that this share of the values does not exceed, rounded down by at most 1/16.
  float quantile(double share) const;

 private:
  static constexpr int kShift = 19;  // keeps a float's exponent and 4 bits of its mantissa
  std::vector<std::atomic<uint32_t>> counts_ = std::vector<std::atomic<uint32_t>>(size_t{1} << (31 - kShift));
};

/// Told which neurons of a layer were active for a token; ascending. Of an expert e, neuron i is e * n_ff + i.
class ActivityObserver {
 public:
  virtual ~ActivityObserver() = default;
  /// Whether to be told of the run of this layer that begins.
  virtual bool wants(int /*layer*/, int64_t /*n_tokens*/) { return true; }
  virtual void on_active(int layer, std::span<const int32_t> neurons) = 0;
};

/// As many tokens are computed neuron by neuron, alone or beside a device; with more, nearly every neuron is active for one.
/// Where both ways cost the same depends on how many neurons are active: at 8 tokens it is 25 %, in Q8_0, Q4_0, Q4_K and
/// Q6_K alike; at 16 it is 15 %, at 6 it is 33 % (AVX-512 VNNI, one core of a Sapphire Rapids VM). It is a constant
/// because a number learnt while running would make a text depend on those before it.
constexpr int64_t kFewTokens = 8;

class HotHalf;

class Store {
 public:
  explicit Store(Isa isa);
  ~Store();
  Store(const Store&) = delete;

  /// For llama_model_params.tensor_buft_overrides. The buffers must be freed before the store.
  ggml_backend_buffer_type_t buffer_type() { return buffer_type_.get(); }

  /// Threads of the model. While it has none (null), ggml makes its own for every call.
  void set_threadpool(ggml_threadpool* pool) { threadpool_ = pool; }
  ggml_threadpool* threadpool() const { return threadpool_; }

  /// That pack what is loaded.
  void set_packing_threads(int n) { packing_threads_ = n; }
  /// What llama.cpp hands over lies in a mapped file. So that the model is not in memory twice, pages are let go as soon as
  /// they are packed.
  void set_source_is_mapped() { is_source_mapped_ = true; }

  /// Matrices found there are used from there, and what llama.cpp loads for them is left unread. Before loading.
  void set_sidecar(std::shared_ptr<const Sidecar> sidecar) { sidecar_ = std::move(sidecar); }

  /// Of the matrices added since there is a sidecar: all, and those it does not hold, which are packed instead.
  struct Found {
    uint32_t matrices = 0;
    uint32_t missing = 0;
    uint64_t missing_bytes = 0;
  };
  const Found& found_in_sidecar() const { return found_; }

  /// What the layers have in place of llama.cpp's own activation, for models it would compute with the wrong one.
  void set_form(std::optional<NeuronForm> form) { form_ = form; }
  const std::optional<NeuronForm>& form() const { return form_; }

  /// Rows of ggml's layout. Replaces what was loaded as ffn_down, or what is to be: {n_embd, n_ff} of this type.
  Result<Done> set_down_transposed(int layer, ggml_type type, int64_t n_ff, int64_t n_embd, const void* data);

  struct PredictorData {
    ggml_type fc1_type;
    const void* fc1;  // {n_embd, rank}
    ggml_type fc2_type;
    const void* fc2;  // {rank, n_ff}
    int64_t n_embd;
    int64_t rank;
    int64_t n_ff;
    float threshold;
  };
  Result<Done> set_predictor(int layer, const PredictorData& data);

  /// Threshold mode, in this order: begin, run the model on some text, end. Then this share of the values is silent.
  void begin_calibration();
  void end_calibration(double silent_share);
  /// Null except between the two.
  SizeHistogram* histogram(int layer) { return histograms_.empty() ? nullptr : &histograms_[layer]; }

  /// Runs of the whole model in predicted mode, by which the audit chooses its layer.
  void count_predicted_run() { ++predicted_runs_; }
  uint64_t predicted_runs() const { return predicted_runs_; }
  bool is_first_layer(int index) const;

  /// Neurons that a device computes; null when none. What fails there makes an end of it: the CPU has them all.
  void set_hot_half(std::unique_ptr<HotHalf> hot);
  HotHalf* hot_half() const { return hot_.get(); }

  /// Every matrix is a plain one, those of FFNs too. Before loading.
  void set_plain() { is_plain_ = true; }

  void set_mode(Mode mode) { mode_ = mode; }
  Mode mode() const { return mode_; }
  void set_observer(ActivityObserver* observer) { observer_ = observer; }
  ActivityObserver* observer() const { return observer_; }

  /// Why the graph that was run last ended with GGML_STATUS_FAILED, where that is known. Whoever ran it takes it.
  void set_failure(Error why) { failure_ = std::move(why); }
  std::optional<Error> take_failure() { return std::exchange(failure_, std::nullopt); }

  Isa isa() const { return isa_; }
  Layer& layer(int index);
  size_t n_layers() const { return layers_.size(); }
  Stats& stats() { return stats_; }
  void reset_stats();

  /// A matrix or bias that llama.cpp loads here. `tensor` outlives neither its buffer nor this.
  struct Weight {
    Store& store;
    WeightName name;               // of an FFN; says nothing of a plain matrix
    Rows plain;                    // empty when it belongs to an FFN
    bool is_mapped;                // from the sidecar
    std::vector<uint8_t> pending;  // the tensor's bytes while they come in pieces
  };
  Weight& add_weight(const ggml_tensor* tensor);
  void write(Weight& weight, const ggml_tensor* tensor, const void* data, size_t offset, size_t n);
  void read(const Weight& weight, const ggml_tensor* tensor, void* data, size_t offset, size_t n);

 private:
  void unpack(const Weight& weight, uint8_t* to);
  void pack(Weight& weight, const uint8_t* from);
  Rows& rows_of(const WeightName& name) { return name.part == Part::gate ? layer(name.layer).gate : layer(name.layer).up; }
  std::vector<float>& bias_of(const WeightName& name);

  const Isa isa_;
  std::unique_ptr<ggml_backend_buffer_type> buffer_type_;
  ggml_threadpool* threadpool_ = nullptr;
  std::shared_ptr<const Sidecar> sidecar_;
  Found found_;
  std::optional<NeuronForm> form_;
  Mode mode_ = Mode::exact;
  bool is_plain_ = false;
  bool is_source_mapped_ = false;
  ActivityObserver* observer_ = nullptr;
  std::deque<Layer> layers_;
  std::deque<Weight> weights_;
  std::unique_ptr<HotHalf> hot_;
  std::deque<SizeHistogram> histograms_;
  uint64_t predicted_runs_ = 0;
  std::optional<Error> failure_;
  Stats stats_;
  int packing_threads_ = 1;
};

}  // namespace hotpath::hotcold
