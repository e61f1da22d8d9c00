#include "synth/writer.h"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "synth/metadata.h"
#include "synth/weights.h"

namespace hotpath::synth {

namespace {

namespace fs = std::filesystem;

constexpr size_t kBufferBytes = 4 << 20;
constexpr const char* kPowerInferMagic = "PWRI";

fs::path utf8_path(const std::string& path) { return fs::path(std::u8string(path.begin(), path.end())); }

Error unwritable(const std::string& path, const std::string& why) {
  return {ErrorCode::file_unreadable, path + ": " + why, {{"path", path}}};
}

/// Removes the file unless it was kept.
class TemporaryFile {
 public:
  explicit TemporaryFile(fs::path path) : path_(std::move(path)), stream_(path_, std::ios::binary | std::ios::trunc) {}
  ~TemporaryFile() {
    if (path_.empty()) return;
    stream_.close();
    std::error_code ignored;  // nothing more can be done about it
    fs::remove(path_, ignored);
  }

  bool write(const void* bytes, size_t n) {
    return static_cast<bool>(stream_.write(static_cast<const char*>(bytes), static_cast<std::streamsize>(n)));
  }

  bool is_open() const { return stream_.is_open(); }

  std::error_code keep_as(const fs::path& path) {
    stream_.close();
    if (!stream_) return std::make_error_code(std::errc::io_error);
    std::error_code error;
    fs::rename(path_, path, error);
    if (!error) path_.clear();
    return error;
  }

 private:
  fs::path path_;
  std::ofstream stream_;
};

/// Rows pass through one buffer on their way to the file.
class TensorWriter {
 public:
  TensorWriter(TemporaryFile& file, Weights& weights, uint64_t total, const OnWritten& on_written, const CancelFlag& cancel)
      : file_(file), weights_(weights), total_(total), on_written_(on_written), cancel_(cancel) {}

  Result<Done> write(const Tensor& tensor) {
    const size_t row_bytes = tensor.row_bytes();
    for (int64_t row = 0; row < tensor.n_rows(); ++row) {
      if (buffer_.size() + row_bytes > kBufferBytes) {
        if (auto flushed = flush(); !flushed) return flushed;
      }
      buffer_.resize(buffer_.size() + row_bytes);
      weights_.fill_row(tensor, row, buffer_.data() + buffer_.size() - row_bytes);
    }
    buffer_.resize(buffer_.size() + aligned(tensor.bytes()) - tensor.bytes());
    return Done{};
  }

  Result<Done> flush() {
    if (cancel_.raised()) return Error{ErrorCode::request_cancelled, "writing was cancelled", {}};
    if (!file_.write(buffer_.data(), buffer_.size())) return unwritable("the model", std::strerror(errno));
    written_ += buffer_.size();
    buffer_.clear();
    on_written_(written_, total_);
    return Done{};
  }

 private:
  TemporaryFile& file_;
  Weights& weights_;
  uint64_t total_;
  const OnWritten& on_written_;
  const CancelFlag& cancel_;
  std::vector<uint8_t> buffer_;
  uint64_t written_ = 0;
};

std::vector<uint8_t> header_bytes(const gguf_context* description, bool powerinfer) {
  std::vector<uint8_t> bytes(gguf_get_meta_size(description));
  gguf_get_meta_data(description, bytes.data());
  if (powerinfer) std::memcpy(bytes.data(), kPowerInferMagic, std::strlen(kPowerInferMagic));
  return bytes;
}

/// A file but for its weights.
struct Layout {
  Spec spec;  // with the real size of the vocabulary
  std::vector<bool> is_text;
  std::vector<Tensor> tensors;
  std::vector<uint8_t> header;
  uint64_t bytes() const { return header.size() + data_bytes(tensors); }
};

Result<Layout> lay_out(const Spec& requested, const std::string& vocabulary_path) {
  if (auto checked = check_spec(requested); !checked) return checked.error();
  auto vocabulary = read_vocabulary(vocabulary_path, requested.shape.n_vocab);
  if (!vocabulary) return vocabulary.error();
  Layout layout = {requested, std::move(vocabulary->is_text), {}, {}};
  layout.spec.shape.n_vocab = static_cast<uint32_t>(layout.is_text.size());
  layout.tensors = plan_tensors(layout.spec);
  const GgufContext description = describe_model(layout.spec, *vocabulary, layout.tensors);
  layout.header = header_bytes(description.get(), layout.spec.powerinfer);
  return layout;
}

Result<Done> check_space(const fs::path& path, uint64_t bytes) {
  std::error_code error;
  const fs::path folder = fs::absolute(path, error).parent_path();
  const fs::space_info space = fs::space(folder, error);
  if (error) return unwritable(folder.string(), error.message());
  if (space.available < bytes) {
    return Error{ErrorCode::request_invalid,
                 format_text("the model needs %s, the disk has %s free", format_bytes(double(bytes)).c_str(),
                             format_bytes(double(space.available)).c_str()), {}};
  }
  return Done{};
}

}  // namespace

Result<Written> write_model(const Spec& requested, const std::string& vocabulary_path, const std::string& path,
                            const OnWritten& on_written, const CancelFlag& cancel) {
  const auto started = std::chrono::steady_clock::now();
  auto layout = lay_out(requested, vocabulary_path);
  if (!layout) return layout.error();
  const auto& [spec, is_text, tensors, header] = *layout;
  const uint64_t total = layout->bytes();
  const fs::path target = utf8_path(path);
  if (auto checked = check_space(target, total); !checked) return checked.error();

  fs::path temporary = target;
  temporary += ".part";
  TemporaryFile file(temporary);
  if (!file.is_open() || !file.write(header.data(), header.size())) return unwritable(path, std::strerror(errno));
  Weights weights(spec, is_text);
  TensorWriter writer(file, weights, total - header.size(), on_written, cancel);
  for (const Tensor& tensor : tensors) {
    if (auto written = writer.write(tensor); !written) return written.error();
  }
  if (auto flushed = writer.flush(); !flushed) return flushed.error();
  if (const std::error_code error = file.keep_as(target)) return unwritable(path, error.message());
  return Written{total, std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count()};
}

Result<Description> describe(const Spec& requested, const std::string& vocabulary_path) {
  auto layout = lay_out(requested, vocabulary_path);
  if (!layout) return layout.error();
  const Shape& shape = layout->spec.shape;
  Description description = {gguf_arch(requested.arch), shape};
  description.bytes = layout->bytes();
  description.kv_bytes_per_token = 2 * sizeof(ggml_fp16_t) * shape.n_layers * shape.n_kv_heads * shape.head_dim;
  for (const Tensor& tensor : layout->tensors) {
    description.parameters += static_cast<uint64_t>(tensor.shape[0] * tensor.n_rows());
    description.type_bytes[tensor.type] += tensor.bytes();
    if (tensor.name.starts_with("blk.")) description.layers_bytes += tensor.bytes();
  }
  return description;
}

}  // namespace hotpath::synth
