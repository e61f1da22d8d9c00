#include "llama/model_file.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <map>
#include <numeric>

#include "core/file.h"
#include "hotcold/plan.h"
#include "llama.h"
#include "llama/powerinfer_loader.h"

namespace hotpath {

namespace {

constexpr uint32_t kMaxLayers = 512;  // llama.cpp's LLAMA_MAX_LAYERS
constexpr uint64_t kMaxWidth = 1 << 20;
constexpr uint64_t kMaxVocabulary = 1 << 23;
constexpr uint64_t kMaxSplits = 1024;

Error corrupt(const ByteSource& source, const std::string& what) {
  return {ErrorCode::model_corrupt, source.name + ": " + what, {{"path", source.name}}};
}

/// Reads `<architecture>.<key>`; a scalar or one value per layer.
class Hyperparameters {
 public:
  Hyperparameters(const ByteSource& source, const GgufHeader& header, std::string architecture)
      : source_(source), header_(header), architecture_(std::move(architecture)) {}

  std::optional<uint64_t> count(const char* key) const { return header_.count(full(key)); }
  std::string full(const char* key) const { return architecture_ + "." + key; }

  Result<uint64_t> required(const char* key, uint64_t max) const {
    const auto value = count(key);
    if (!value || *value == 0 || *value > max) {
      return corrupt(source_, full(key) + (value ? format_text(" is %" PRIu64, *value) : std::string(" is missing")));
    }
    return *value;
  }

  Result<std::vector<uint64_t>> per_layer(const char* key, size_t n_layers, uint64_t fallback) const {
    std::vector<uint64_t> values(n_layers, fallback);
    if (const GgufArray* array = header_.array(full(key))) {
      auto integers = read_integers(source_, *array);
      if (!integers) return integers.error();
      for (size_t i = 0; i < n_layers && i < integers->size(); ++i) {
        if ((*integers)[i] < 0) return corrupt(source_, full(key) + " has a negative entry");
        values[i] = static_cast<uint64_t>((*integers)[i]);
      }
    } else if (const auto value = count(key)) {
      values.assign(n_layers, *value);
    }
    for (const uint64_t value : values) {
      if (value > kMaxWidth) return corrupt(source_, full(key) + format_text(" is %" PRIu64, value));
    }
    return values;
  }

 private:
  const ByteSource& source_;
  const GgufHeader& header_;
  std::string architecture_;
};

std::string quantization_name(const GgufHeader& header) {
  if (const auto ftype = header.count("general.file_type"); ftype && *ftype < LLAMA_FTYPE_GUESSED) {
    return llama_ftype_name(static_cast<llama_ftype>(*ftype));
  }
  std::map<ggml_type, uint64_t> bytes;
  for (const GgufTensor& tensor : header.tensors) bytes[tensor.type] += tensor.bytes;
  ggml_type largest = GGML_TYPE_F32;
  for (const auto& [type, n] : bytes) {
    if (n > bytes[largest]) largest = type;
  }
  return ggml_type_name(largest);
}

/// Of an embedding only the rows of the tokens at hand are read.
bool is_input(const std::string& name) {
  return name.starts_with("token_embd") || name.starts_with("position_embd") || name.starts_with("token_types");
}

void add_weights(const GgufHeader& header, ModelFile& file) {
  file.shape.layer_bytes.resize(file.metadata.layer_count);
  file.shape.ffn.resize(file.metadata.layer_count);
  for (const GgufTensor& tensor : header.tensors) {
    unsigned layer = 0;
    int name_at = 0;
    const bool in_layer = std::sscanf(tensor.name.c_str(), "blk.%u.%n", &layer, &name_at) == 1 && name_at > 0 &&
                          layer < file.metadata.layer_count;
    (in_layer ? file.shape.layer_bytes[layer] : file.shape.other_bytes) += tensor.bytes;
    const bool is_output = tensor.name == "output.weight";
    if (in_layer || is_output) file.shape.layer_tensors.push_back(tensor);
    if (is_input(tensor.name)) file.shape.input_bytes += tensor.bytes;
    if (is_output) file.shape.output_bytes = tensor.bytes;
    if (in_layer) note_ffn_tensor(std::string_view(tensor.name).substr(static_cast<size_t>(name_at)), tensor, file.shape.ffn[layer]);
    file.metadata.parameter_count += tensor.elements();
  }
}

/// Keys and values as llama.cpp stores them; latent attention (DeepSeek) keeps one compressed vector instead.
Result<Done> add_kv(const Hyperparameters& hp, ModelFile& file) {
  const size_t n_layers = file.metadata.layer_count;
  const uint64_t width = file.metadata.embedding_length;
  auto heads = hp.per_layer("attention.head_count", n_layers, 0);
  if (!heads) return heads.error();
  auto kv_heads = hp.per_layer("attention.head_count_kv", n_layers, (*heads)[0]);
  if (!kv_heads) return kv_heads.error();
  const uint64_t first_heads = (*heads)[0] == 0 ? 1 : (*heads)[0];
  const uint64_t key_length = hp.count("attention.key_length").value_or(width / first_heads);
  const uint64_t value_length = hp.count("attention.value_length").value_or(width / first_heads);
  const uint64_t latent = hp.count("attention.kv_lora_rank").value_or(0);
  const bool is_latent = latent > 0 && hp.count("attention.key_length_mla").value_or(0) > 0;
  if (key_length > kMaxWidth || value_length > kMaxWidth || latent > kMaxWidth) {
    return Error{ErrorCode::model_corrupt,
                 file.metadata.path + format_text(": attention lengths of %" PRIu64 " and %" PRIu64, key_length, value_length),
                 {{"path", file.metadata.path}}};
  }
  for (const uint64_t n : *kv_heads) {
    const uint64_t values = is_latent ? key_length : n * (key_length + value_length);
    file.shape.layer_kv_per_token.push_back(values * sizeof(ggml_fp16_t));
  }
  return Done{};
}

/// ggml ends the process at the first norm whose epsilon is negative or no number.
Result<Done> check_norms(const ByteSource& source, const GgufHeader& header, const Hyperparameters& hp) {
  for (const char* key : {"attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon", "attention.group_norm_epsilon"}) {
    const auto value = header.number(hp.full(key));
    if (value && !(*value >= 0)) return corrupt(source, hp.full(key) + format_text(" is %g", *value));
  }
  return Done{};
}

Result<Done> check_vocabulary(const ByteSource& source, const GgufHeader& header, ModelMetadata& metadata) {
  const GgufArray* tokens = header.array("tokenizer.ggml.tokens");
  if (!tokens || tokens->type != GGUF_TYPE_STRING || tokens->count == 0 || tokens->count > kMaxVocabulary) {
    return corrupt(source, tokens ? format_text("a vocabulary of %" PRIu64 " tokens", tokens->count)
                                  : std::string("tokenizer.ggml.tokens is missing"));
  }
  metadata.vocabulary_size = static_cast<uint32_t>(tokens->count);
  return Done{};
}

void add_texts(const GgufHeader& header, ModelMetadata& metadata) {
  const std::string* name = header.text("general.name");
  metadata.name = name && !name->empty() ? *name : metadata.path.substr(metadata.path.find_last_of("/\\") + 1);
  if (const std::string* license = header.text("general.license")) metadata.license = *license;
  if (const std::string* method = header.text("hotpath.method")) metadata.method = *method;
  metadata.quantization = quantization_name(header);
  if (const auto lines = header.count("hotpath.max_lines"); lines && *lines > 0 && *lines <= 1000) {
    metadata.max_lines = static_cast<uint32_t>(*lines);
  }
}

Result<Done> add_form(const ByteSource& source, const GgufHeader& header, ModelFile& file) {
  file.metadata.format = "GGUF";
  file.form = known_form(header);
  if (!is_powerinfer(header)) return Done{};
  auto model = read_powerinfer(source.name, header);
  if (!model) return model.error();
  file.metadata.format = "PowerInfer";
  file.metadata.trained_context_length = std::min(file.metadata.trained_context_length, model->n_positions);
  file.form = KnownForm{powerinfer_form(model->arch), "a PowerInfer model", true};
  file.powerinfer = std::move(*model);
  return Done{};
}

Result<ModelFile> describe(const ByteSource& source, const GgufHeader& header) {
  ModelFile file;
  ModelMetadata& metadata = file.metadata;
  metadata.path = source.name;
  metadata.file_bytes = source.size;
  const std::string* architecture = header.text("general.architecture");
  if (!architecture || architecture->empty()) return corrupt(source, "general.architecture is missing");
  metadata.architecture = *architecture;
  const Hyperparameters hp(source, header, *architecture);

  auto layers = hp.required("block_count", kMaxLayers - 1);
  if (!layers) return layers.error();
  auto width = hp.required("embedding_length", kMaxWidth);
  if (!width) return width.error();
  auto context = hp.required("context_length", INT32_MAX);
  if (!context) return context.error();
  metadata.layer_count = static_cast<uint32_t>(*layers);
  metadata.embedding_length = static_cast<uint32_t>(*width);
  metadata.trained_context_length = static_cast<uint32_t>(*context);
  if (auto checked = check_norms(source, header, hp); !checked) return checked.error();
  if (auto checked = check_vocabulary(source, header, metadata); !checked) return checked.error();
  add_texts(header, metadata);
  auto feed_forward = hp.per_layer("feed_forward_length", metadata.layer_count, 0);
  if (!feed_forward) return feed_forward.error();
  file.shape.feed_forward_length = *std::max_element(feed_forward->begin(), feed_forward->end());
  file.shape.experts_used = static_cast<uint32_t>(std::min<uint64_t>(hp.count("expert_used_count").value_or(0), kMaxWidth));
  const std::string* activation = header.text("hotpath.ffn_activation");
  file.shape.is_relu_by_metadata = activation && *activation == "relu";
  if (auto added = add_kv(hp, file); !added) return added.error();
  auto fim = find_fim_format(source, header);
  if (!fim) return fim.error();
  metadata.fim = *fim;
  if (auto added = add_form(source, header, file); !added) return added.error();
  // The published ReLU models are from before code models learned to fill in; whoever has one wants to run it all the same.
  if (file.form && !metadata.fim) metadata.fim = prefix_only();
  return file;
}

/// What a plan of where networks go must know before it counts on our backend.
void add_obstacles(ModelFile& model) {
  hotcold::PlanInput input = {};
  input.tensors = model.shape.layer_tensors;
  input.n_layers = static_cast<int>(model.metadata.layer_count);
  input.isa = hotcold::usable_isas().front();
  std::vector<std::string> obstacles = hotcold::ffn_obstacles(input);
  for (size_t i = 0; i < obstacles.size(); ++i) model.shape.ffn[i].obstacle = std::move(obstacles[i]);
}

Result<Done> add_split(const std::string& prefix, uint64_t index, uint64_t count, ModelFile& model) {
  char path[4096];
  llama_split_path(path, sizeof path, prefix.c_str(), static_cast<int>(index), static_cast<int>(count));
  auto file = ReadFile::open(path);
  if (!file) return file.error();
  const ByteSource source = file_source(path, *file);
  auto header = read_gguf_header(source);
  if (!header) return header.error();
  if (header->count("split.no") != index) return corrupt(source, format_text("is not part %" PRIu64, index + 1));
  model.metadata.file_bytes += source.size;
  model.further_paths.push_back(path);
  add_weights(*header, model);
  return Done{};
}

Result<Done> add_splits(const ByteSource& first, const GgufHeader& header, ModelFile& model) {
  const uint64_t count = header.count("split.count").value_or(1);
  if (count <= 1) return Done{};
  if (count > kMaxSplits) return corrupt(first, format_text("is split into %" PRIu64 " files", count));
  char prefix[4096];
  if (header.count("split.no") != uint64_t{0} ||
      llama_split_prefix(prefix, sizeof prefix, first.name.c_str(), 0, static_cast<int>(count)) == 0) {
    return Error{ErrorCode::model_unsupported,
                 first.name + format_text(": is one of %" PRIu64 " parts; open the first, named ...-00001-of-%05" PRIu64 ".gguf",
                                          count, count),
                 {{"path", first.name}}};
  }
  for (uint64_t index = 1; index < count; ++index) {
    if (auto added = add_split(prefix, index, count, model); !added) return added.error();
  }
  return Done{};
}

Result<ModelFile> read_source(const ByteSource& source, bool follow_splits) {
  auto header = read_gguf_header(source);
  if (!header) return header.error();
  auto model = describe(source, *header);
  if (!model) return model;
  add_weights(*header, *model);
  if (model->powerinfer) model->shape.layer_tensors = powerinfer_ffn_tensors(*header);
  if (follow_splits) {
    if (auto added = add_splits(source, *header, *model); !added) return added.error();
  }
  if (model->metadata.parameter_count == 0) return corrupt(source, "has no tensors");
  add_obstacles(*model);
  return model;
}

}  // namespace

uint64_t ModelShape::weight_bytes() const {
  return std::accumulate(layer_bytes.begin(), layer_bytes.end(), other_bytes);
}

uint64_t ModelShape::kv_bytes_per_token() const {
  return std::accumulate(layer_kv_per_token.begin(), layer_kv_per_token.end(), uint64_t{0});
}

Result<ModelFile> read_model_file(const std::string& path) {
  auto file = ReadFile::open(path);
  if (!file) return file.error();
  return read_source(file_source(path, *file), true);
}

Result<ModelFile> read_model_source(const ByteSource& source) { return read_source(source, false); }

}  // namespace hotpath
