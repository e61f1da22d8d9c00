#include "hotcold/gpu/cuda_hot_unit.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "cuda/hotpath_cuda.h"
#include "llama/dynamic_library.h"

namespace hotpath::hotcold {

namespace {

/// The functions of hotpath_cuda.h, by name.
struct Functions {
#define HOTPATH_CUDA_FUNCTIONS(X) \
  X(version) X(probe) X(supports) X(open) X(close) X(device_name) X(memory_bytes) X(set_layer) X(upload) X(start) X(wait) \
  X(read_activations) X(last_problem)
#define X(name) decltype(&hotpath_cuda_##name) name = nullptr;
  HOTPATH_CUDA_FUNCTIONS(X)
#undef X

  /// The name of a function the library lacks; null when it has all.
  const char* find_in(const DynamicLibrary& library) {
#define X(name) \
  name = reinterpret_cast<decltype(name)>(library.symbol("hotpath_cuda_" #name)); \
  if (!name) return "hotpath_cuda_" #name;
    HOTPATH_CUDA_FUNCTIONS(X)
#undef X
    return nullptr;
  }
};

struct Opened {
  CudaLibrary library;
  Functions functions;
};

CudaState state_of(int status) {
  switch (status) {
    case HOTPATH_CUDA_OK: return CudaState::ok;
    case HOTPATH_CUDA_NO_DRIVER: return CudaState::no_driver;
    case HOTPATH_CUDA_DRIVER_TOO_OLD: return CudaState::driver_too_old;
    default: return CudaState::no_device;
  }
}

Opened open_library(const std::string& path) {
  std::string problem;
  // Never closed, not even when the process ends: the CUDA runtime inside has threads and exit handlers of its own.
  static auto& kept = *new std::vector<DynamicLibrary>;
  DynamicLibrary library = DynamicLibrary::open(path, problem);
  if (!library) return {{CudaState::no_library, problem}, {}};
  Functions functions;
  if (const char* missing = functions.find_in(library)) {
    return {{CudaState::wrong_library, path + " lacks " + missing}, {}};
  }
  if (const int version = functions.version(); version != HOTPATH_CUDA_VERSION) {
    const char* format = "%s is of version %d, %d is needed";
    return {{CudaState::wrong_library, format_text(format, path.c_str(), version, HOTPATH_CUDA_VERSION)}, {}};
  }
  kept.push_back(std::move(library));
  hotpath_cuda_problem state;
  functions.probe(&state);
  return {{state_of(state.status), state.text}, functions};
}

const Opened& opened_library(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, Opened> known;
  std::lock_guard lock(mutex);
  const auto found = known.find(path);
  return found != known.end() ? found->second : known.emplace(path, open_library(path)).first->second;
}

hotpath_cuda_layer describe(const HotLayer& layer) {
  return {layer.n_embd, layer.n_slots(), static_cast<int>(layer.form), layer.up_type, layer.down_type, layer.has_bias};
}

class CudaHotUnit final : public HotUnit {
 public:
  CudaHotUnit(const Functions& cuda, hotpath_cuda_unit* unit) : cuda_(cuda), unit_(unit) {}
  ~CudaHotUnit() override { cuda_.close(unit_); }

  std::string name() const override { return std::string(cuda_.device_name(unit_)) + ", Hotpath's kernels"; }
  size_t memory_bytes() const override { return cuda_.memory_bytes(unit_); }
  const HotLayer& layer(size_t index) const override { return layers_.at(index); }

  Result<Done> allocate(const std::vector<HotLayer>& layers) {
    layers_ = layers;
    for (size_t i = 0; i < layers_.size(); ++i) {
      auto done = set_layer(i);
      if (!done) return done;
    }
    return Done{};
  }

  Result<Done> upload(size_t index, int64_t group, const HotNeurons& neurons) override {
    const HotLayer& layer = layers_.at(index);
    CHECK(!running_ && group >= 0 && group < layer.n_groups && neurons.count >= 0 && neurons.count <= kHotGroup);
    down_.resize(neurons.count * ggml_row_size(layer.down_type, layer.n_embd));
    ggml_quantize_chunk(layer.down_type, neurons.down, down_.data(), 0, neurons.count, layer.n_embd, nullptr);
    const hotpath_cuda_neurons rows = {static_cast<int>(neurons.count), neurons.gate, neurons.up, down_.data(), neurons.gate_bias,
                                       neurons.up_bias};
    return result(cuda_.upload(unit_, static_cast<int>(index), group, &rows));
  }

  Result<Done> start(size_t index, const float* x, int64_t n_tokens) override {
    CHECK(!running_ && layers_.at(index).n_groups > 0);
    auto begun = result(cuda_.start(unit_, static_cast<int>(index), x, n_tokens));
    if (begun) running_ = &layers_[index];
    n_tokens_ = n_tokens;
    return begun;
  }

  Result<Done> wait(float* y) override {
    CHECK(running_);
    last_ = running_;
    running_ = nullptr;
    return result(cuda_.wait(unit_, y));
  }

  Result<Done> read_activations(std::span<float> values) override {
    CHECK(!running_ && last_ && n_tokens_ <= kReadableTokens && static_cast<int64_t>(values.size()) == n_tokens_ * last_->n_slots());
    return result(cuda_.read_activations(unit_, values.data()));
  }

  Result<Done> resize(size_t index, int64_t n_groups) override {
    CHECK(!running_ && n_groups >= 0);
    layers_.at(index).n_groups = n_groups;
    auto done = set_layer(index);
    if (!done) layers_[index].n_groups = 0;
    return done;
  }

 private:
  Result<Done> set_layer(size_t index) {
    const hotpath_cuda_layer shape = describe(layers_[index]);
    return result(cuda_.set_layer(unit_, static_cast<int>(index), &shape));
  }

  Result<Done> result(int status) const {
    if (status == HOTPATH_CUDA_OK) return Done{};
    const bool memory = status == HOTPATH_CUDA_OUT_OF_MEMORY;
    return Error{memory ? ErrorCode::device_out_of_memory : ErrorCode::device_unavailable,
                 std::string(cuda_.device_name(unit_)) + ": " + cuda_.last_problem(unit_), {}};
  }

  const Functions& cuda_;
  hotpath_cuda_unit* unit_;
  std::vector<HotLayer> layers_;
  std::vector<uint8_t> down_;  // of `upload`
  const HotLayer* running_ = nullptr;
  const HotLayer* last_ = nullptr;
  int64_t n_tokens_ = 0;
};

Error unavailable(const std::string& what) { return {ErrorCode::device_unavailable, "CUDA: " + what, {}}; }

}  // namespace

CudaLibrary cuda_library(const std::string& path) { return opened_library(path).library; }

Result<std::unique_ptr<HotUnit>> make_cuda_hot_unit(const std::string& path, ggml_backend_dev_t device,
                                                    const HotUnitSpec& spec) {
  const Opened& opened = opened_library(path);
  if (opened.library.state != CudaState::ok) return unavailable(opened.library.text);
  ggml_backend_dev_props props;
  ggml_backend_dev_get_props(device, &props);
  if (!props.device_id) return unavailable(std::string(ggml_backend_dev_name(device)) + " has no PCI address");
  for (const HotLayer& layer : spec.layers) {
    const hotpath_cuda_layer shape = describe(layer);
    if ((is_gated(layer.form) && layer.gate_type != layer.up_type) || !opened.functions.supports(&shape)) {
      return unavailable(format_text("no kernels for rows of %s and %s, %lld wide", ggml_type_name(layer.gate_type),
                                     ggml_type_name(layer.up_type), static_cast<long long>(layer.n_embd)));
    }
  }
  hotpath_cuda_problem problem;
  const int n_layers = static_cast<int>(spec.layers.size());
  hotpath_cuda_unit* handle = opened.functions.open(props.device_id, n_layers, spec.max_tokens, &problem);
  if (!handle) return unavailable(problem.text);
  auto unit = std::make_unique<CudaHotUnit>(opened.functions, handle);
  auto allocated = unit->allocate(spec.layers);
  if (!allocated) return allocated.error();
  return std::unique_ptr<HotUnit>(std::move(unit));
}

}  // namespace hotpath::hotcold
