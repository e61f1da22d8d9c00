#include "hotcold/executor.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iterator>
#include <utility>

#include "core/log.h"
#include "hotcold/hot_half.h"

namespace hotpath::hotcold {

namespace {

// Chunks of one FFN: enough for the threads of a desktop to end at about the same time. Each costs a partial sum of
// n_embd floats, so small layers have fewer of them.
constexpr int64_t kChunks = 32;
constexpr size_t kMinChunkBytes = 64 * 1024;

constexpr size_t round_up(size_t n, size_t multiple) { return (n + multiple - 1) / multiple * multiple; }

const float* row_at(const ggml_tensor* t, int64_t i1, int64_t i2) {
  return reinterpret_cast<const float*>(static_cast<const char*>(t->data) + i1 * t->nb[1] + i2 * t->nb[2]);
}

}  // namespace

ggml_status Executor::run(const Ffn& ffn) {
  ffn_ = ffn;
  layer_ = &ffn.store->layer(ffn.layer_index);
  form_ = ffn.store->form().value_or(ffn.form);
  form_.gated = ffn.form.gated;
  n_embd_ = ffn.x->ne[0];
  n_neurons_ = layer_->up.n_rows();
  gather_entries();
  if (entries_.empty()) return GGML_STATUS_SUCCESS;
  plan_chunks();
  choose_prediction();
  HotHalf* device = ffn.store->hot_half();
  hot_ = {};
  if (device && !ffn_.ids) hot_ = device->hot_neurons(ffn.layer_index, static_cast<int64_t>(entries_.size()));
  observer_ = ffn.store->observer();
  if (observer_ && !observer_->wants(ffn.layer_index, static_cast<int64_t>(entries_.size()))) observer_ = nullptr;
  if (observer_ && has_many_) hot_ = {};  // what neurons give there is fetched for a few tokens only
  lay_out_memory();
  is_prepared_ = entries_.size() <= kFew;
  for (size_t i = 0; is_prepared_ && i < entries_.size(); ++i) prepare(static_cast<int64_t>(i));
  const ggml_status status = hot_.empty() ? run_phases() : run_beside_device(*device);
  if (status == GGML_STATUS_SUCCESS) count();
  return status;
}

void Executor::gather_entries() {
  entries_.clear();
  jobs_.clear();
  const ggml_tensor& y = *ffn_.y;
  if (!ffn_.ids) {
    for (int64_t t = 0; t < ffn_.x->ne[1]; ++t) {
      const float* residual = ffn_.residual ? row_at(ffn_.residual, t, 0) : nullptr;
      entries_.push_back({row_at(ffn_.x, t, 0), const_cast<float*>(row_at(&y, t, 0)), residual, t, 0});
    }
    jobs_.push_back({0, 0, ffn_.x->ne[1], 0, true});
    return;
  }
  // Sorted by expert; tokens of one expert stay in their order.
  const ggml_tensor& ids = *ffn_.ids;
  const auto expert_of = [&ids](int64_t slot, int64_t t) {
    return *reinterpret_cast<const int32_t*>(static_cast<const char*>(ids.data) + slot * ids.nb[0] + t * ids.nb[1]);
  };
  jobs_.resize(layer_->up.n_experts());
  for (int64_t t = 0; t < ids.ne[1]; ++t) {
    for (int64_t slot = 0; slot < ids.ne[0]; ++slot) {
      CHECK(expert_of(slot, t) >= 0 && expert_of(slot, t) < layer_->up.n_experts());
      ++jobs_[expert_of(slot, t)].n_entries;
    }
  }
  int64_t n_entries = 0;
  for (size_t expert = 0; expert < jobs_.size(); ++expert) {
    jobs_[expert].expert = static_cast<int64_t>(expert);
    jobs_[expert].first_entry = n_entries;
    n_entries += std::exchange(jobs_[expert].n_entries, 0);
  }
  entries_.resize(n_entries);
  for (int64_t t = 0; t < ids.ne[1]; ++t) {
    for (int64_t slot = 0; slot < ids.ne[0]; ++slot) {
      Job& job = jobs_[expert_of(slot, t)];
      entries_[job.first_entry + job.n_entries++] = {row_at(ffn_.x, ffn_.x->ne[1] == 1 ? 0 : slot, t),
                                                    const_cast<float*>(row_at(&y, slot, t)), nullptr, t, 0};
    }
  }
  std::erase_if(jobs_, [](const Job& job) { return job.n_entries == 0; });
}

void Executor::plan_chunks() {
  const Down& down = layer_->down;
  const int64_t group = down.kernels().group;
  block_neurons_ = std::max<int64_t>(32, group);
  const int64_t neuron_bytes =
      static_cast<int64_t>(layer_->up.row_bytes() + (form_.gated ? layer_->gate.row_bytes() : 0) + down.neuron_bytes());
  const int64_t n_used = ffn_.ids ? ffn_.ids->ne[0] : 1;
  const int64_t wanted = std::max<int64_t>(n_neurons_ * n_used / kChunks, kMinChunkBytes / neuron_bytes);
  chunk_neurons_ = static_cast<int64_t>(round_up(std::max<int64_t>(wanted, 1), block_neurons_));
  chunks_per_job_ = (n_neurons_ + chunk_neurons_ - 1) / chunk_neurons_;
  n_slices_ = (n_embd_ + kSlice - 1) / kSlice;
  has_many_ = false;
  n_partial_ = 0;
  for (size_t i = 0; i < jobs_.size(); ++i) {
    jobs_[i].first_chunk = static_cast<int64_t>(i) * chunks_per_job_;
    jobs_[i].is_few = jobs_[i].n_entries <= kFew;
    has_many_ = has_many_ || !jobs_[i].is_few;
    jobs_[i].first_partial = n_partial_;
    if (jobs_[i].is_few) n_partial_ += jobs_[i].n_entries;
    for (int64_t k = 0; k < jobs_[i].n_entries; ++k) entries_[jobs_[i].first_entry + k].job = i;
  }
  counts_.assign(jobs_.size() * chunks_per_job_, {});
}

void Executor::lay_out_memory() {
  const Down& down = layer_->down;
  const size_t n_entries = entries_.size();
  size_t n = 0;
  const auto take = [&n](size_t bytes) { return std::exchange(n, n + round_up(bytes, 64)); };
  const bool shares = !form_.gated || &layer_->gate.kernels() == &layer_->up.kernels();
  const size_t up = take(n_entries * activation_stride(layer_->up));
  const size_t gate = shares ? up : take(n_entries * activation_stride(layer_->gate));
  partial_stride_ = round_up(down.kernels().partial_floats(n_embd_), 16);
  // Not for prompts: 512 tokens would take 268 MB of them in a layer of 4096.
  CHECK(n_partial_ <= static_cast<int64_t>(jobs_.size()) * kFew);
  const size_t partials = take(n_partial_ * chunks_per_job_ * partial_stride_ * sizeof(float));
  size_t values = 0;
  size_t packed = 0;
  size_t outputs = 0;
  size_t scratch = 0;
  size_t residuals = 0;
  size_t hidden = 0;
  size_t hidden_activations = 0;
  if (predictor_) {
    residuals = take(n_entries * activation_stride(predictor_->fc1));
    hidden = take(n_entries * predictor_->fc1.n_rows() * sizeof(float));
    hidden_activations = take(n_entries * activation_stride(predictor_->fc2));
  }
  size_t active = 0;
  size_t n_active = 0;
  if (observer_) {
    active = take(n_entries * n_neurons_ * sizeof(int32_t));
    n_active = take(n_entries * chunks_per_job_ * sizeof(int64_t));
  }
  if (has_many_) {
    values = take(n_entries * n_neurons_ * sizeof(float));
    packed_stride_ = down.kernels().values_bytes(down.n_groups());
    packed = take(n_entries * packed_stride_);
    if (ffn_.ids) outputs = take(n_entries * n_embd_ * sizeof(float));
    const size_t rows_scratch = 2 * n_entries * kTile * sizeof(float);
    const size_t down_scratch = down.kernels().multiply_scratch_bytes(static_cast<int64_t>(n_entries), kSlice);
    thread_scratch_bytes_ = round_up(std::max(rows_scratch, down_scratch), 64);
    scratch = take(thread_scratch_bytes_ * workers_.threads());
  }
  if (n > memory_.size()) memory_ = AlignedBytes(n + n / 4);
  uint8_t* base = memory_.data();
  up_activations_ = base + up;
  gate_activations_ = base + gate;
  partials_ = reinterpret_cast<float*>(base + partials);
  values_ = reinterpret_cast<float*>(base + values);
  packed_values_ = base + packed;
  outputs_ = reinterpret_cast<float*>(base + outputs);
  residual_activations_ = base + residuals;
  hidden_ = reinterpret_cast<float*>(base + hidden);
  hidden_activations_ = base + hidden_activations;
  active_ = n_active > 0 ? reinterpret_cast<int32_t*>(base + active) : nullptr;
  n_active_ = reinterpret_cast<int64_t*>(base + n_active);
  thread_scratch_ = base + scratch;
}

ggml_status Executor::run_phases() {
  std::array<Phase, Workers::kMaxPhases> phases;
  size_t n = 0;
  const auto n_entries = static_cast<int64_t>(entries_.size());
  const auto n_jobs = static_cast<int64_t>(jobs_.size());
  if (!is_prepared_) {
    phases[n++] = {[](void* self, int64_t i, int) { static_cast<Executor*>(self)->prepare(i); }, n_entries};
  }
  if (predictor_) {
    phases[n++] = {[](void* self, int64_t i, int) { static_cast<Executor*>(self)->predict_hidden(i); }, hidden_chunks()};
    phases[n++] = {[](void* self, int64_t i, int) { static_cast<Executor*>(self)->pack_hidden(i); }, n_entries};
  }
  phases[n++] = {[](void* self, int64_t i, int thread) { static_cast<Executor*>(self)->work(i, thread); }, n_jobs * chunks_per_job_};
  if (has_many_) phases[n++] = {[](void* self, int64_t i, int) { static_cast<Executor*>(self)->pack_values(i); }, n_entries};
  phases[n++] = {[](void* self, int64_t i, int thread) { static_cast<Executor*>(self)->reduce(i, thread); }, n_jobs * n_slices_};
  const ggml_status status = workers_.run(std::span(phases).first(n), this);
  is_prepared_ = true;
  return status;
}

ggml_status Executor::run_beside_device(HotHalf& device) {
  std::vector<const float*> x;
  std::vector<float*> y;
  for (const Entry& entry : entries_) {
    x.push_back(entry.x);
    y.push_back(entry.y);
  }
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  auto done = device.start(ffn_.layer_index, x, n_embd_);
  if (done) {
    const auto started = Clock::now();
    // The output may lie where the input was; the device has its own copy of that, and so have the packed activations.
    const ggml_status status = run_phases();
    const auto computed = Clock::now();
    done = device.add_to(y);
    if (done && has_many_) {
      const std::chrono::duration<double> cpu = computed - started;
      const std::chrono::duration<double> device_s = started - began + (Clock::now() - computed);
      device.note_prompt(cpu.count(), device_s.count(), spared_share());
    }
    if (done || status != GGML_STATUS_SUCCESS) return status;
  }
  give_up_device(done.error());
  counts_.assign(counts_.size(), {});
  return run_phases();
}

/// Of many tokens: what the CPU leaves to the device, relative to what it computes itself. It reads whole groups of down.
double Executor::spared_share() const {
  const auto n_hot = static_cast<double>(std::count(hot_.begin(), hot_.end(), 1));
  const auto n = static_cast<double>(n_neurons_);
  const double n_first = form_.gated ? 2 : 1;
  return n_first * n_hot / (n_first * (n - n_hot) + n);
}

void Executor::give_up_device(const Error& why) {
  log(LogLevel::warn, "hot/cold: " + ffn_.store->hot_half()->unit().name() + " is given up, the CPU computes all neurons: " + why.message);
  ffn_.store->set_hot_half(nullptr);
  hot_ = {};
}

void Executor::prepare(int64_t entry) {
  if (predictor_) prepare_prediction(entry);
  const float* x = entries_[entry].x;
  const Rows& up = layer_->up;
  up.kernels().pack_activation(x, n_embd_, up_activations_ + entry * activation_stride(up));
  if (gate_activations_ == up_activations_) return;
  const Rows& gate = layer_->gate;
  gate.kernels().pack_activation(x, n_embd_, gate_activations_ + entry * activation_stride(gate));
}

const uint8_t* Executor::activation(const Rows& rows, int64_t entry) const {
  return (&rows == &layer_->gate ? gate_activations_ : up_activations_) + entry * activation_stride(rows);
}

const Job& Executor::job_of_chunk(int64_t chunk) const { return jobs_[chunk / chunks_per_job_]; }

void Executor::work(int64_t chunk, int thread) {
  const Job& job = job_of_chunk(chunk);
  if (job.is_few) {
    work_few(job, chunk);
  } else {
    work_many(job, chunk, thread);
  }
}

void Executor::reduce(int64_t chunk, int thread) {
  const Job& job = jobs_[chunk / n_slices_];
  const int64_t first = chunk % n_slices_ * kSlice;
  const int64_t n = std::min(kSlice, n_embd_ - first);
  if (job.is_few) {
    finish_few(job, first, n);
  } else {
    finish_many(job, first, n, thread);
  }
  if (!ffn_.has_down_bias) return;
  for (int64_t i = 0; i < job.n_entries; ++i) {
    float* y = entries_[job.first_entry + i].y;
    for (int64_t e = first; e < first + n; ++e) y[e] += layer_->down_bias[e];
  }
}

void Executor::activate(float* values, int64_t n) {
  apply(form_.function, values, n);
  if (ffn_.store->mode() != Mode::threshold || !form_.gated) return;
  if (SizeHistogram* histogram = ffn_.store->histogram(ffn_.layer_index)) {
    for (int64_t i = 0; i < n; ++i) histogram->add(values[i]);
  }
  for (int64_t i = 0; i < n; ++i) {
    if (std::abs(values[i]) <= layer_->silence) values[i] = 0;
  }
}

void Executor::add_first_bias(int64_t first, int64_t n, float* values) const {
  if (!(form_.gated ? ffn_.has_gate_bias : ffn_.has_up_bias)) return;
  const std::vector<float>& bias = form_.gated ? layer_->gate_bias : layer_->up_bias;
  for (int64_t i = 0; i < n; ++i) values[i] += bias[first + i];
}

void Executor::count() {
  ChunkCount sum;
  for (const ChunkCount& one : counts_) {
    sum.active += one.active;
    sum.gate_rows += one.gate_rows;
    sum.up_rows += one.up_rows;
    sum.down_rows += one.down_rows;
    sum.audited += one.audited;
    sum.recalled += one.recalled;
  }
  Stats& stats = ffn_.store->stats();
  stats.weight_bytes += sum.gate_rows * layer_->gate.row_bytes() + sum.up_rows * layer_->up.row_bytes() +
                        sum.down_rows * layer_->down.neuron_bytes();
  LayerStats& layer = stats.layers[ffn_.layer_index];
  layer.neurons += entries_.size() * n_neurons_;
  layer.active += sum.active;
  layer.hot += entries_.size() * std::count(hot_.begin(), hot_.end(), 1);
  if (predictor_) stats.weight_bytes += predictor_->fc1.row_bytes() * predictor_->fc1.n_rows() + predictor_->fc2.row_bytes() * n_neurons_;
  if (is_audited_) judge_predictor(sum.audited, sum.recalled);
  if (observer_) observe();
}

void Executor::observe() {
  // Entries are in the order of the experts; what an observer gets is one list for each token.
  std::vector<std::vector<int32_t>> lists(ffn_.ids ? ffn_.ids->ne[1] : entries_.size());
  for (size_t i = 0; i < entries_.size(); ++i) {
    const int64_t offset = jobs_[entries_[i].job].expert * n_neurons_;
    std::vector<int32_t>& list = lists[entries_[i].token];
    for (int64_t chunk = 0; chunk < chunks_per_job_; ++chunk) {
      const int32_t* active = active_ + i * n_neurons_ + chunk * chunk_neurons_;
      const int64_t n = n_active_[i * chunks_per_job_ + chunk];
      std::transform(active, active + n, std::back_inserter(list), [offset](int32_t k) { return static_cast<int32_t>(offset + k); });
    }
  }
  if (!hot_.empty()) {
    LayerStats& layer = ffn_.store->stats().layers[ffn_.layer_index];
    const uint64_t n_hot = lists.size() * std::count(hot_.begin(), hot_.end(), 1);
    const auto n_active = ffn_.store->hot_half()->append_active(ffn_.layer_index, lists);
    // What was computed stays right; only this run is not counted.
    if (!n_active) return give_up_device(n_active.error());
    layer.sampled_hot += n_hot;
    layer.sampled_hot_active += *n_active;
  }
  for (const auto& list : lists) observer_->on_active(ffn_.layer_index, list);
}

}  // namespace hotpath::hotcold
