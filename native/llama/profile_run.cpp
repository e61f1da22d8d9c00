#include "llama/profile_run.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <span>

#include "activation/recorder.h"
#include "core/utf8.h"
#include "core/whole_file.h"
#include "ggml-backend.h"
#include "llama/library_watch.h"
#include "llama/vocabulary.h"

namespace hotpath {

namespace {

// Neurons depend little on what stands further back; short contexts keep attention cheap.
constexpr uint32_t kContext = 512;
// Every token needs an output, or llama.cpp leaves the others out of the last layer: this bounds their memory.
constexpr int32_t kBatch = 128;
constexpr uint64_t kMaxFileBytes = 64 * 1024 * 1024;

/// Layer of the down matrix a node multiplies with; -1 when it does no such thing. On a GPU the name is that of a copy,
/// such as "CUDA0#blk.3.ffn_down.weight#0".
int down_layer(const ggml_tensor* node) {
  if (node->op != GGML_OP_MUL_MAT && node->op != GGML_OP_MUL_MAT_ID) return -1;
  const char* name = std::strstr(node->src[0]->name, "blk.");
  int layer = 0;
  int rest = 0;
  if (!name || std::sscanf(name, "blk.%d.ffn_down%n", &layer, &rest) != 1 || rest == 0) return -1;
  const std::string_view suffix = name + rest;
  return suffix.starts_with(".weight") || suffix.starts_with("_exps.weight") ? layer : -1;
}

/// Called by llama.cpp around each node of the graph.
class Observer {
 public:
  explicit Observer(const std::vector<uint32_t>& neurons_per_layer) : neurons_(neurons_per_layer), recorder_(neurons_per_layer) {}

  static bool on_node(ggml_tensor* node, bool ask, void* self) {
    const int layer = down_layer(node);
    if (ask) return layer >= 0;
    static_cast<Observer*>(self)->observe(layer, node);
    return true;
  }

  ActivationRecorder& recorder() { return recorder_; }
  /// What could not be counted; empty when all was.
  const std::string& problem() const { return problem_; }

 private:
  void observe(int layer, const ggml_tensor* node) {
    const ggml_tensor* values = node->src[1];
    const bool by_expert = node->op == GGML_OP_MUL_MAT_ID;
    const ggml_tensor* ids = by_expert ? node->src[2] : nullptr;
    const int64_t n_rows = by_expert ? values->ne[1] : 1;  // per token: one per expert used
    const int64_t n_tokens = by_expert ? values->ne[2] : values->ne[1];
    const bool known = layer < static_cast<int>(neurons_.size()) && neurons_[static_cast<size_t>(layer)] > 0;
    if (!known || values->type != GGML_TYPE_F32 || !ggml_is_contiguous(values)) {
      problem_ = format_text("the activations of layer %d have a form that cannot be counted", layer);
      return;
    }
    values_.resize(static_cast<size_t>(ggml_nelements(values)));
    ggml_backend_tensor_get(values, values_.data(), 0, values_.size() * sizeof(float));
    for (int64_t t = 0; t < n_tokens; ++t) {
      active_.clear();
      for (int64_t r = 0; r < n_rows; ++r) {
        const int64_t expert = by_expert ? expert_of(ids, r, t) : 0;
        add_active(std::span(values_).subspan(static_cast<size_t>((t * n_rows + r) * values->ne[0]), static_cast<size_t>(values->ne[0])),
                   expert * values->ne[0], neurons_[static_cast<size_t>(layer)]);
      }
      recorder_.on_active(layer, active_);
    }
  }

  static int64_t expert_of(const ggml_tensor* ids, int64_t row, int64_t token) {
    int32_t id = 0;
    ggml_backend_tensor_get(ids, &id, static_cast<size_t>(row) * ids->nb[0] + static_cast<size_t>(token) * ids->nb[1], sizeof id);
    return id;
  }

  void add_active(std::span<const float> values, int64_t first, uint32_t n_neurons) {
    for (size_t i = 0; i < values.size(); ++i) {
      const int64_t neuron = first + static_cast<int64_t>(i);
      if (values[i] != 0 && neuron < n_neurons) active_.push_back(static_cast<int32_t>(neuron));
    }
  }

  std::vector<uint32_t> neurons_;
  ActivationRecorder recorder_;
  std::vector<float> values_;
  std::vector<int32_t> active_;
  std::string problem_;
};

using Context = std::unique_ptr<llama_context, decltype(&llama_free)>;

/// The callback holds up every layer: where the backend tells the same, it stays away.
Result<Context> make_context(const LoadedModel& loaded, Observer& observer) {
  llama_context_params params = llama_context_default_params();
  params.n_ctx = kContext;
  params.n_batch = kBatch;
  params.n_ubatch = kBatch;
  params.n_threads = params.n_threads_batch = loaded.info.threads;
  if (loaded.ffns) {
    loaded.ffns->set_observer(&observer.recorder());
  } else {
    params.cb_eval = Observer::on_node;
    params.cb_eval_user_data = &observer;
  }
  Context context(nullptr, llama_free);
  LibraryWatch watch;
  watch.run([&] { context.reset(llama_init_from_model(loaded.model.get(), params)); });
  if (!context) return Error{ErrorCode::device_out_of_memory, loaded.info.metadata.path + ": " + watch.errors(), {}};
  if (loaded.threadpool) llama_attach_threadpool(context.get(), loaded.threadpool.get(), loaded.threadpool.get());
  return context;
}

/// Texts as pieces that fit the context, each beginning as the model's prompts do.
Result<std::vector<std::vector<Token>>> read_pieces(const Vocabulary& vocabulary, const std::vector<std::string>& files) {
  std::vector<std::vector<Token>> pieces;
  for (const std::string& path : files) {
    const auto text = read_whole_file(path, kMaxFileBytes);
    if (!text) return text.error();
    if (valid_utf8(*text) != *text) return Error{ErrorCode::file_unreadable, path + ": is not UTF-8 text", {{"path", path}}};
    const std::vector<Token> tokens = vocabulary.tokenize(*text);
    const size_t begin = vocabulary.begin() == kNoToken ? 0 : 1;
    for (size_t at = 0; at < tokens.size(); at += kContext - begin) {
      std::vector<Token> piece(begin, vocabulary.begin());
      const size_t end = std::min(tokens.size(), at + kContext - begin);
      piece.insert(piece.end(), tokens.begin() + static_cast<ptrdiff_t>(at), tokens.begin() + static_cast<ptrdiff_t>(end));
      pieces.push_back(std::move(piece));
    }
  }
  return pieces;
}

Result<Done> decode(llama_context* context, std::span<const Token> tokens, int32_t first_position) {
  llama_batch batch = llama_batch_init(static_cast<int32_t>(tokens.size()), 0, 1);
  for (size_t i = 0; i < tokens.size(); ++i) {
    batch.token[i] = tokens[i];
    batch.pos[i] = first_position + static_cast<int32_t>(i);
    batch.n_seq_id[i] = 1;
    batch.seq_id[i][0] = 0;
    batch.logits[i] = 1;
  }
  batch.n_tokens = static_cast<int32_t>(tokens.size());
  const int status = llama_decode(context, batch);
  llama_batch_free(batch);
  if (status == 0) return Done{};
  if (status == 2) return Error{ErrorCode::request_cancelled, "profiling was cancelled", {}};
  return Error{ErrorCode::device_out_of_memory, format_text("llama.cpp could not compute (status %d)", status), {}};
}

Result<Done> run(llama_context* context, const std::vector<std::vector<Token>>& pieces, const OnProfileProgress& on_progress,
                 const CancelFlag& cancel) {
  ProfileProgress progress = {0, 0};
  for (const auto& piece : pieces) progress.total_tokens += piece.size();
  for (const auto& piece : pieces) {
    llama_memory_clear(llama_get_memory(context), false);
    for (size_t at = 0; at < piece.size(); at += kBatch) {
      if (cancel.raised()) return Error{ErrorCode::request_cancelled, "profiling was cancelled", {}};
      const auto tokens = std::span(piece).subspan(at, std::min<size_t>(kBatch, piece.size() - at));
      if (auto done = decode(context, tokens, static_cast<int32_t>(at)); !done) return done;
      progress.tokens += tokens.size();
      if (on_progress) on_progress(progress);
    }
  }
  return Done{};
}

}  // namespace

Result<ActivationProfile> profile_files(const ModelSpec& spec, const std::vector<std::string>& files,
                                        const OnProfileProgress& on_progress, const CancelFlag& cancel) {
  auto file = read_model_file(spec.path);
  if (!file) return file.error();
  ActivationProfile profile;
  profile.model_name = file->metadata.name;
  const auto identity = identify_model_file(spec.path);
  if (!identity) return identity.error();
  profile.model = *identity;
  std::vector<uint32_t> neurons;
  for (const FfnWeights& ffn : file->shape.ffn) neurons.push_back(ffn.is_splittable() ? ffn.all_neurons() : 0);

  ModelSpec own = spec;
  own.context_length = kContext;
  own.n_sequences = 1;
  own.mode = file->form ? hotcold::Mode::exact : hotcold::Mode::dense;
  if (file->form) own.device = DeviceChoice::cpu;  // a device would keep what its neurons do to itself
  auto loaded = load_model(own, {}, cancel);
  if (!loaded) return loaded.error();
  const Vocabulary vocabulary(llama_model_get_vocab(loaded->model.get()), loaded->info.metadata.fim);
  const auto pieces = read_pieces(vocabulary, files);
  if (!pieces) return pieces.error();
  if (pieces->empty()) return Error{ErrorCode::request_invalid, "the files hold no text", {}};
  Observer observer(neurons);
  auto context = make_context(*loaded, observer);
  if (!context) return context.error();
  const auto is_raised = [](void* flag) { return static_cast<const CancelFlag*>(flag)->raised(); };
  llama_set_abort_callback(context->get(), is_raised, const_cast<CancelFlag*>(&cancel));
  if (auto done = run(context->get(), *pieces, on_progress, cancel); !done) return done.error();
  if (!observer.problem().empty()) {
    return Error{ErrorCode::model_unsupported, spec.path + ": " + observer.problem(), {{"path", spec.path}}};
  }
  observer.recorder().move_to(profile.layers);
  return profile;
}

}  // namespace hotpath
