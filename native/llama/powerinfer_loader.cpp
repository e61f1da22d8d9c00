#include "llama/powerinfer_loader.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>

#include "ggml-backend.h"
#include "gguf.h"
#include "hotcold/store.h"

namespace hotpath {

namespace {

using GgufContext = std::unique_ptr<gguf_context, decltype(&gguf_free)>;

// Of ffn_down, llama.cpp only learns that it is there; any type that goes with any width does.
constexpr ggml_type kPlaceholderType = GGML_TYPE_F16;
constexpr float kOptNormEpsilon = 1e-5f;     // the files do not say
constexpr size_t kMagicBytes = 4;

const char* llama_arch(PowerInferArch arch) {
  switch (arch) {
    case PowerInferArch::falcon: return "falcon";
    case PowerInferArch::opt: return "gpt2";
    default: return "llama";
  }
}

/// The file as ggml's reader shall see it.
struct Reader {
  const ReadFile& file;

  static size_t read(void* self, void* to, uint64_t offset, size_t n) {
    const ReadFile& file = static_cast<Reader*>(self)->file;
    if (offset >= file.size()) return 0;
    n = static_cast<size_t>(std::min<uint64_t>(n, file.size() - offset));
    if (!file.read_at(offset, to, n)) return 0;
    for (uint64_t i = offset; i < std::min<uint64_t>(offset + n, kMagicBytes); ++i) static_cast<char*>(to)[i - offset] = GGUF_MAGIC[i];
    return n;
  }
};

/// Copies `<from>.<key>` to `<to>.<key>`.
void rename_keys(gguf_context* context, const std::string& from, const std::string& to) {
  std::vector<std::string> keys;
  for (int64_t i = 0; i < gguf_get_n_kv(context); ++i) {
    if (const std::string key = gguf_get_key(context, i); key.starts_with(from + ".")) keys.push_back(key);
  }
  for (const std::string& key : keys) {
    const std::string renamed = to + key.substr(from.size());
    const int64_t id = gguf_find_key(context, key.c_str());
    switch (gguf_get_kv_type(context, id)) {
      case GGUF_TYPE_UINT32: gguf_set_val_u32(context, renamed.c_str(), gguf_get_val_u32(context, id)); break;
      case GGUF_TYPE_FLOAT32: gguf_set_val_f32(context, renamed.c_str(), gguf_get_val_f32(context, id)); break;
      case GGUF_TYPE_BOOL: gguf_set_val_bool(context, renamed.c_str(), gguf_get_val_bool(context, id)); break;
      default: break;  // no hyperparameter of theirs is of another type
    }
  }
}

void default_text(gguf_context* context, const char* key, const char* value) {
  if (gguf_find_key(context, key) < 0) gguf_set_val_str(context, key, value);
}

class Loader {
 public:
  Loader(const ReadFile& file, const std::string& path, const GgufHeader& header, const PowerInferModel& model, hotcold::Store& store)
      : file_(file), path_(path), header_(header), model_(model), store_(store) {
    for (const GgufTensor& tensor : header.tensors) {
      if (const std::string name = llama_name(tensor.name); !name.empty()) sources_[name].push_back(&tensor);
    }
    // Of a joined matrix: queries, keys, values, in whatever order the file has them.
    const auto place = [](const GgufTensor* tensor) { return std::string("qkv").find(tensor->name[tensor->name.find("attn_") + 5]); };
    for (auto& [name, parts] : sources_) {
      if (parts.size() > 1) std::sort(parts.begin(), parts.end(), [&](auto* a, auto* b) { return place(a) < place(b); });
    }
  }

  Result<llama_model*> load(llama_model_params params) {
    const llama_progress_callback on_progress = params.progress_callback;
    void* progress_data = params.progress_callback_user_data;
    report_ = [=, this] {
      const float fraction = static_cast<float>(static_cast<double>(bytes_read_) / static_cast<double>(header_.data_bytes));
      if (on_progress && !on_progress(std::min(fraction, 1.0f), progress_data)) throw std::runtime_error("loading was cancelled");
    };
    for (size_t layer = 0; layer < model_.layers.size(); ++layer) {
      if (auto filled = fill_store(layer); !filled) return filled.error();
    }
    const GgufContext metadata = describe();
    if (!metadata) return Error{ErrorCode::model_corrupt, path_ + ": is refused by ggml", {{"path", path_}}};
    params.progress_callback = nullptr;
    llama_model* loaded = llama_model_init_from_user(
        metadata.get(), [](ggml_tensor* tensor, void* self) { static_cast<Loader*>(self)->fill(tensor); }, this, params);
    if (!failure_.empty()) {
      if (loaded) llama_model_free(loaded);
      return Error{ErrorCode::model_corrupt, path_ + ": " + failure_, {{"path", path_}}};
    }
    return loaded;
  }

 private:
  using Bytes = std::vector<uint8_t>;

  /// Reading, not mapping: a mapped file that someone shortens ends the process. Throws, as llama.cpp's own reading does.
  Bytes read(const GgufTensor& tensor) {
    Bytes bytes(tensor.bytes);
    if (!file_.read_at(header_.header_bytes + tensor.offset, bytes.data(), bytes.size())) {
      throw std::runtime_error("tensor " + tensor.name + " cannot be read");
    }
    bytes_read_ += tensor.bytes;
    report_();
    return bytes;
  }

  Result<Done> fill_store(size_t index) {
    const PowerInferLayer& layer = model_.layers[index];
    const int64_t n_embd = model_.n_embd;
    const int64_t n_ff = model_.n_ff;
    const auto id = static_cast<int>(index);
    if (auto set = store_.set_down_transposed(id, layer.down.type, n_ff, n_embd, read(layer.down).data()); !set) return set;
    if (!layer.fc1) return Done{};
    const Bytes fc1 = read(*layer.fc1);
    const Bytes fc2 = read(*layer.fc2);
    return store_.set_predictor(id, {layer.fc1->type, fc1.data(), layer.fc2->type, fc2.data(), n_embd, layer.fc1->shape[1], n_ff,
                                     model_.threshold});
  }

  GgufContext describe() {
    Reader reader = {file_};
    GgufContext source(gguf_init_from_callback(Reader::read, &reader, 0, file_.size(), {true, nullptr}), gguf_free);
    if (!source) return source;
    GgufContext metadata(gguf_init_empty(), gguf_free);
    gguf_set_kv(metadata.get(), source.get());
    const std::string theirs = *header_.text("general.architecture");
    const char* ours = llama_arch(model_.arch);
    if (theirs != ours) rename_keys(metadata.get(), theirs, ours);
    gguf_set_val_str(metadata.get(), "general.architecture", ours);
    if (model_.arch == PowerInferArch::falcon) default_text(metadata.get(), "tokenizer.ggml.pre", "falcon");
    if (model_.arch == PowerInferArch::opt) {
      default_text(metadata.get(), "tokenizer.ggml.pre", "gpt-2");
      gguf_set_val_u32(metadata.get(), "gpt2.context_length", model_.n_positions);
      if (!header_.number(theirs + ".attention.layer_norm_epsilon")) {
        gguf_set_val_f32(metadata.get(), "gpt2.attention.layer_norm_epsilon", kOptNormEpsilon);
      }
    }
    add_types(metadata.get());
    return metadata;
  }

  /// llama.cpp takes from here which tensors there are and of which types; the shapes follow from the hyperparameters.
  void add_types(gguf_context* metadata) const {
    const std::unique_ptr<ggml_context, decltype(&ggml_free)> context(
        ggml_init({sources_.size() * ggml_tensor_overhead(), nullptr, true}), ggml_free);
    CHECK(context);
    for (const auto& [name, parts] : sources_) {
      const bool is_vector = parts.front()->shape[1] == 1;
      const bool is_down = name.ends_with(".ffn_down.weight");
      const ggml_type type = is_vector ? GGML_TYPE_F32 : is_down ? kPlaceholderType : parts.front()->type;
      ggml_tensor* tensor = ggml_new_tensor_1d(context.get(), type, ggml_blck_size(type));
      ggml_set_name(tensor, name.c_str());
      gguf_add_tensor(metadata, tensor);
    }
  }

  /// What llama.cpp calls a tensor of the file, or one it is a part of; empty for what it does not get.
  std::string llama_name(const std::string& name) const {
    const auto renamed = [&name](const char* part, const char* by) {
      const size_t at = name.find(part);
      return at == std::string::npos ? std::string() : name.substr(0, at) + by + name.substr(at + std::strlen(part));
    };
    if (name.find(".fc1.") != std::string::npos || name.find(".fc2.") != std::string::npos) return "";
    if (const std::string down = renamed(".ffn_down_t.", ".ffn_down."); !down.empty()) return down;
    if (model_.arch != PowerInferArch::opt) return name;
    for (const char* part : {".attn_q.", ".attn_k.", ".attn_v."}) {
      if (const std::string joined = renamed(part, ".attn_qkv."); !joined.empty()) return joined;
    }
    return name;
  }

  void fill(ggml_tensor* tensor) {
    const std::string name = tensor->name;
    if (!failure_.empty() || name.ends_with(".ffn_down.weight")) return;  // the store has that one
    const auto found = sources_.find(name);
    if (found == sources_.end()) return fail("tensor " + name + " is missing");
    Bytes joined;
    for (const GgufTensor* part : found->second) {
      Bytes bytes = as_type(*part, tensor->type);
      if (bytes.empty()) return fail("tensor " + part->name + " is of type " + ggml_type_name(part->type));
      if (joined.empty()) joined = std::move(bytes);
      else joined.insert(joined.end(), bytes.begin(), bytes.end());
    }
    const uint32_t n_skipped = name == "position_embd.weight" ? kOptUnusedPositions : 0;
    const size_t skipped = n_skipped * ggml_row_size(tensor->type, tensor->ne[0]);
    if (joined.size() != ggml_nbytes(tensor) + skipped) {
      return fail(format_text("tensor %s: llama.cpp wants %zu bytes, the file has %zu", name.c_str(), ggml_nbytes(tensor), joined.size()));
    }
    ggml_backend_tensor_set(tensor, joined.data() + skipped, 0, ggml_nbytes(tensor));
  }

  /// Empty when the type can be neither kept nor made: norms and biases are wanted as floats.
  Bytes as_type(const GgufTensor& source, ggml_type type) {
    if (source.type == type) return read(source);
    const auto to_float = ggml_get_type_traits(source.type)->to_float;
    if (type != GGML_TYPE_F32 || !to_float) return {};
    const Bytes bytes = read(source);
    Bytes floats(source.elements() * sizeof(float));
    to_float(bytes.data(), reinterpret_cast<float*>(floats.data()), static_cast<int64_t>(source.elements()));
    return floats;
  }

  void fail(std::string why) { failure_ = std::move(why); }

  const ReadFile& file_;
  const std::string& path_;
  const GgufHeader& header_;
  const PowerInferModel& model_;
  hotcold::Store& store_;
  std::map<std::string, std::vector<const GgufTensor*>> sources_;  // by llama.cpp's name
  std::function<void()> report_;
  uint64_t bytes_read_ = 0;
  std::string failure_;
};

}  // namespace

hotcold::NeuronForm powerinfer_form(PowerInferArch arch) {
  const bool is_gated = arch == PowerInferArch::llama || arch == PowerInferArch::bamboo;
  return {hotcold::NeuronFunction::relu, is_gated, arch == PowerInferArch::bamboo};
}

std::vector<GgufTensor> powerinfer_ffn_tensors(const GgufHeader& header) {
  std::vector<GgufTensor> tensors;
  for (GgufTensor tensor : header.tensors) {
    if (const size_t at = tensor.name.find("ffn_down_t."); at != std::string::npos) {
      tensor.name.replace(at, std::strlen("ffn_down_t."), "ffn_down.");
      if (tensor.shape[1] > 1) {
        std::swap(tensor.shape[0], tensor.shape[1]);
        tensor.type = kPlaceholderType;
      }
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

Result<llama_model*> load_powerinfer(const std::string& path, const llama_model_params& params, hotcold::Store& store) {
  auto file = ReadFile::open(path);
  if (!file) return file.error();
  const ByteSource source = file_source(path, *file);
  auto header = read_gguf_header(source);
  if (!header) return header.error();
  auto model = read_powerinfer(path, *header);
  if (!model) return model.error();
  return Loader(*file, path, *header, *model, store).load(params);
}

}  // namespace hotpath
