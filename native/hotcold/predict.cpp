// Predicted mode: two small matrices read the residual before the norm and guess which neurons will be active. Only those
// are computed. One layer of some tokens is computed whole all the same, which tells what the guesses miss.
#include <algorithm>
#include <cstring>
#include <utility>

#include "core/log.h"
#include "hotcold/block.h"

namespace hotpath::hotcold {

namespace {

constexpr int64_t kHiddenChunk = 64;  // rows of fc1
constexpr uint64_t kAuditPeriod = 16;  // runs of the model: one of so many, one layer
// Published predictors find 86 to 93 % of the active neurons; one below this is broken or was made for another model.
constexpr double kMinRecall = 0.75;
constexpr uint64_t kMinAudited = 1000;  // active neurons, before a predictor is judged

}  // namespace

void Executor::choose_prediction() {
  predictor_ = nullptr;
  is_audited_ = false;
  // With many tokens nearly all neurons are active for one of them.
  if (ffn_.store->mode() != Mode::predicted || has_many_) return;
  if (ffn_.store->is_first_layer(ffn_.layer_index)) ffn_.store->count_predicted_run();
  if (!layer_->predictor || layer_->is_distrusted) return;
  if (!ffn_.residual) return note_unpredicted();
  predictor_ = &*layer_->predictor;
  const uint64_t run = ffn_.store->predicted_runs();
  is_audited_ = run % kAuditPeriod == 0 && run / kAuditPeriod % ffn_.store->n_layers() == static_cast<uint64_t>(ffn_.layer_index);
}

void Executor::note_unpredicted() {
  ffn_.store->stats().layers[ffn_.layer_index].unpredicted += entries_.size();
  if (std::exchange(layer_->is_unpredictable, true)) return;
  log(LogLevel::warn, format_text("hot/cold: layer %d is computed exactly: what its predictor reads is on another device or not known",
                                  ffn_.layer_index));
}

int64_t Executor::hidden_chunks() const { return (predictor_->fc1.n_rows() + kHiddenChunk - 1) / kHiddenChunk; }

void Executor::prepare_prediction(int64_t entry) {
  const Rows& fc1 = predictor_->fc1;
  fc1.kernels().pack_activation(entries_[entry].residual, n_embd_, residual_activations_ + entry * activation_stride(fc1));
}

void Executor::predict_hidden(int64_t chunk) {
  const Rows& fc1 = predictor_->fc1;
  const int64_t first = chunk * kHiddenChunk;
  const int64_t n = std::min(kHiddenChunk, fc1.n_rows() - first);
  const auto n_entries = static_cast<int64_t>(entries_.size());
  multiply_rows(fc1, 0, first, n, residual_activations_, activation_stride(fc1), n_entries, hidden_ + first, fc1.n_rows());
}

void Executor::pack_hidden(int64_t entry) {
  const Rows& fc2 = predictor_->fc2;
  float* hidden = hidden_ + entry * fc2.n_cols();
  apply(NeuronFunction::relu, hidden, fc2.n_cols());
  fc2.kernels().pack_activation(hidden, fc2.n_cols(), hidden_activations_ + entry * activation_stride(fc2));
}

void Executor::predict(const Job& job, Block& block) const {
  const Rows& fc2 = predictor_->fc2;
  float scores[kFew * kMaxBlock];
  multiply_rows(fc2, 0, block.first, block.n, hidden_activations_, activation_stride(fc2), job.n_entries, scores, kMaxBlock);
  for (int64_t k = 0; k < block.n; ++k) {
    block.is_predicted[k] = false;
    for (int64_t i = 0; i < job.n_entries; ++i) block.is_predicted[k] |= scores[i * kMaxBlock + k] >= predictor_->threshold;
  }
}

void Executor::audit(int64_t chunk, const Block& block) {
  counts_[chunk].audited += block.n_listed;
  for (int64_t k = 0; k < block.n_listed; ++k) counts_[chunk].recalled += block.is_predicted[block.listed[k] - block.first];
}

void Executor::judge_predictor(int64_t audited, int64_t recalled) {
  LayerStats& stats = ffn_.store->stats().layers[ffn_.layer_index];
  stats.audited += audited;
  stats.recalled += recalled;
  layer_->audited += audited;
  layer_->recalled += recalled;
  if (layer_->audited < kMinAudited) return;
  const double recall = static_cast<double>(layer_->recalled) / static_cast<double>(layer_->audited);
  if (recall >= kMinRecall) return;
  layer_->is_distrusted = true;
  stats.is_distrusted = true;
  log(LogLevel::warn, format_text("hot/cold: the predictor of layer %d finds %.0f %% of the active neurons, %.0f %% are the least; "
                                  "the layer is computed exactly from now on",
                                  ffn_.layer_index, recall * 100, kMinRecall * 100));
}

}  // namespace hotpath::hotcold
