// What the header of a model file says about the model, checked before llama.cpp sees the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "formats/gguf_header.h"
#include "formats/powerinfer.h"
#include "llama/ffn_weights.h"
#include "llama/fim.h"
#include "llama/relu_models.h"

namespace hotpath {

/// ModelMetadata of src/protocol/model.ts.
struct ModelMetadata {
  std::string path;
  std::string name;
  std::string architecture;
  std::string quantization;
  std::string format;  // "GGUF" or "PowerInfer"
  std::optional<std::string> license;
  uint64_t parameter_count = 0;
  uint64_t file_bytes = 0;  // all parts of a split model
  uint32_t layer_count = 0;
  uint32_t embedding_length = 0;
  uint32_t trained_context_length = 0;
  uint32_t vocabulary_size = 0;
  std::optional<FimFormat> fim;
  std::optional<uint32_t> max_lines;
  std::optional<std::string> method;  // by which its weights were compressed
};

/// What memory planning needs beyond the metadata.
struct ModelShape {
  std::vector<uint64_t> layer_bytes;         // weights, one entry per layer
  std::vector<uint64_t> layer_kv_per_token;  // bytes of F16 keys and values, one entry per layer
  uint64_t other_bytes = 0;                  // embeddings, output, norms
  uint64_t input_bytes = 0;                  // of these, the embedding
  uint64_t output_bytes = 0;                 // of these, the output matrix; 0: it is the embedding, too
  uint64_t feed_forward_length = 0;
  std::vector<GgufTensor> layer_tensors;     // of all layers, and the output matrix
  std::vector<FfnWeights> ffn;  // one entry per layer
  uint32_t experts_used = 0;    // per token
  bool is_relu_by_metadata = false;  // its gates are ReLUs, whatever its architecture says
  uint64_t weight_bytes() const;
  /// Read for every token outside the layers: the output matrix and its norm.
  uint64_t head_bytes() const { return other_bytes - (output_bytes > 0 ? input_bytes : 0); }
  uint64_t kv_bytes_per_token() const;
};

struct ModelFile {
  ModelMetadata metadata;
  std::vector<std::string> further_paths;  // of a split model: all parts but the first
  ModelShape shape;
  std::optional<PowerInferModel> powerinfer;
  std::optional<KnownForm> form;  // of its FFNs, where llama.cpp would compute another
};

/// Reads the header of the file, and those of its further parts when the model is split over several.
Result<ModelFile> read_model_file(const std::string& path);

/// The same from any bytes that are a whole, unsplit model file.
Result<ModelFile> read_model_source(const ByteSource& source);

}  // namespace hotpath
