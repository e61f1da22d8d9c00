// Why down is stored as {n_slots, n_embd} although slots are replaced by group: every ggml backend multiplies from the
// left only, so the dimension that is summed over must be the contiguous one. A group is then n_embd pieces of 32 values,
// written with one strided copy, and Q8_0's blocks are exactly those pieces.
#include "hotcold/gpu/ggml_hot_unit.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "ggml-alloc.h"
#include "ggml-cpp.h"

namespace hotpath::hotcold {

namespace {

/// The weights of a layer, or the input and at most seven operations of its graph.
constexpr size_t kMaxTensors = 16;

Error unavailable(ggml_backend_dev_t device, const std::string& what) {
  return {ErrorCode::device_unavailable, std::string(ggml_backend_dev_name(device)) + ": " + what,
          {{"device", ggml_backend_dev_description(device)}}};
}

/// Backends report a lost device or exhausted memory by exceptions of their own libraries.
template <typename Work>
Result<Done> guard(ggml_backend_dev_t device, Work work) {
  try {
    const ggml_status status = work();
    if (status == GGML_STATUS_SUCCESS) return Done{};
    if (status == GGML_STATUS_ALLOC_FAILED) {
      const std::string name = ggml_backend_dev_name(device);
      return Error{ErrorCode::device_out_of_memory, name + " has no memory left to compute", {}};
    }
    return unavailable(device, ggml_status_to_string(status));
  } catch (const std::exception& failure) {
    return unavailable(device, failure.what());
  }
}

Error too_large(ggml_backend_dev_t device, size_t needed, size_t free) {
  return {ErrorCode::device_out_of_memory,
          std::string(ggml_backend_dev_name(device)) + ": hot neurons need " + format_bytes(static_cast<double>(needed)) + ", " +
              format_bytes(static_cast<double>(free)) + " are free",
          {{"neededBytes", static_cast<double>(needed)}, {"freeBytes", static_cast<double>(free)}}};
}

/// Drivers that page to RAM would give more than fits, and crawl.
Result<Done> check_free(ggml_backend_dev_t device, size_t needed) {
  size_t free = 0;
  size_t total = 0;
  ggml_backend_dev_memory(device, &free, &total);
  const bool is_known = total > 0;  // a device that cannot say reports 0
  if (is_known && needed > free) return too_large(device, needed, free);
  return Done{};
}

/// Makes a buffer on the device, by `allocate`, which may throw.
template <typename Allocate>
Result<ggml_backend_buffer_ptr> make_buffer(ggml_backend_dev_t device, size_t needed, Allocate allocate) {
  if (auto fits = check_free(device, needed); !fits) return fits.error();
  ggml_backend_buffer_ptr buffer;
  const auto done = guard(device, [&] {
    buffer.reset(allocate());
    return buffer ? GGML_STATUS_SUCCESS : GGML_STATUS_ALLOC_FAILED;
  });
  if (!done) {
    size_t free = 0;
    size_t total = 0;
    ggml_backend_dev_memory(device, &free, &total);
    return too_large(device, needed, free);
  }
  return buffer;
}

ggml_context_ptr make_context() {
  const size_t size = kMaxTensors * ggml_tensor_overhead() + ggml_graph_overhead_custom(kMaxTensors, false);
  return ggml_context_ptr(ggml_init({size, nullptr, true}));
}

/// Whether the device multiplies rows of this type with floats.
bool multiplies(ggml_backend_dev_t device, ggml_type type, int64_t n_cols) {
  if (n_cols % ggml_blck_size(type) != 0) return false;
  const ggml_context_ptr context = make_context();
  // Some backends look at the buffers of the operands, an empty one is enough.
  const ggml_backend_buffer_ptr buffer(ggml_backend_buft_alloc_buffer(ggml_backend_dev_buffer_type(device), 0));
  ggml_tensor* rows = ggml_new_tensor_2d(context.get(), type, n_cols, kHotGroup);
  ggml_tensor* x = ggml_new_tensor_2d(context.get(), GGML_TYPE_F32, n_cols, 1);
  rows->buffer = x->buffer = buffer.get();
  return ggml_backend_dev_supports_op(device, ggml_mul_mat(context.get(), rows, x));
}

/// The file's own type where the device takes it, else the nearest it does.
std::optional<ggml_type> stored_type(ggml_backend_dev_t device, ggml_type file_type, int64_t n_cols) {
  const ggml_type nearest = ggml_is_quantized(file_type) ? GGML_TYPE_Q8_0 : GGML_TYPE_F16;
  for (const ggml_type type : {file_type, nearest, GGML_TYPE_F16, GGML_TYPE_F32}) {
    if (multiplies(device, type, n_cols)) return type;
  }
  return std::nullopt;
}

ggml_tensor* activate(ggml_context* context, FfnForm form, ggml_tensor* gate, ggml_tensor* up) {
  switch (form) {
    case FfnForm::relu: return ggml_relu(context, up);
    case FfnForm::relu_squared: return ggml_sqr(context, ggml_relu(context, up));
    case FfnForm::silu: return ggml_silu(context, up);
    case FfnForm::gelu: return ggml_gelu(context, up);
    case FfnForm::gated_relu: return ggml_reglu_split(context, gate, up);
    case FfnForm::gated_silu: return ggml_swiglu_split(context, gate, up);
    case FfnForm::gated_gelu: return ggml_geglu_split(context, gate, up);
    case FfnForm::gated_drelu: return ggml_mul(context, ggml_relu(context, gate), ggml_relu(context, up));
  }
  return nullptr;
}

struct Weights {
  ggml_context_ptr context;
  ggml_backend_buffer_ptr buffer;
  ggml_tensor* gate = nullptr;
  ggml_tensor* up = nullptr;
  ggml_tensor* down = nullptr;  // {n_slots, n_embd}
  ggml_tensor* gate_bias = nullptr;
  ggml_tensor* up_bias = nullptr;
};

/// For one slice of the tokens.
struct Graph {
  ggml_context_ptr context;
  ggml_cgraph* graph = nullptr;
  ggml_tensor* x = nullptr;
  ggml_tensor* activations = nullptr;
  ggml_tensor* y = nullptr;
};

struct Layer {
  HotLayer shape;
  ggml_type gate_type;  // as stored
  ggml_type up_type;
  Weights weights;
  // Kept until a run has another number of tokens: building them costs microseconds, a decode never does.
  std::vector<Graph> slices;
  int64_t n_tokens = 0;
};

/// What all layers use in turn: the backend runs their graphs one after the other.
struct Workspace {
  // On the device: x of all tokens, y of all tokens, what one slice has in between. So no slice waits for the copies of
  // another.
  ggml_backend_buffer_ptr buffer;
  size_t exchange_bytes = 0;       // of x, and of y
  ggml_backend_buffer_ptr pinned;  // host memory the device reaches by itself, where there is such
  std::vector<float> plain;        // else
  float* x = nullptr;
  float* y = nullptr;
};

class GgmlHotUnit final : public HotUnit {
 public:
  GgmlHotUnit(ggml_backend_dev_t device, const HotUnitSpec& spec)
      : device_(device), max_tokens_(spec.max_tokens), slice_tokens_(std::min(spec.max_tokens, spec.slice_tokens)) {}

  ~GgmlHotUnit() override {
    // A device lost in between makes this fail, and there is nobody left to tell.
    (void)guard(device_, [&] {
      if (backend_) ggml_backend_synchronize(backend_.get());
      return GGML_STATUS_SUCCESS;
    });
  }

  Result<Done> allocate(const std::vector<HotLayer>& layers);

  std::string name() const override { return std::string(ggml_backend_dev_name(device_)) + ", ggml"; }
  size_t memory_bytes() const override;
  const HotLayer& layer(size_t index) const override { return layers_.at(index).shape; }
  Result<Done> upload(size_t layer, int64_t group, const HotNeurons& neurons) override;
  Result<Done> start(size_t layer, const float* x, int64_t n_tokens) override;
  Result<Done> wait(float* y) override;
  Result<Done> read_activations(std::span<float> values) override;
  Result<Done> resize(size_t layer, int64_t n_groups) override;

 private:
  Result<Done> allocate_weights(Layer& layer);
  Result<Done> allocate_workspace();
  void allocate_exchange();
  Result<Done> build_slices(Layer& layer, int64_t n_tokens);
  void upload_rows(ggml_tensor* rows, ggml_type from, int64_t group, int64_t count, const void* source);
  void upload_down(const Layer& layer, int64_t group, int64_t count, const float* columns);
  void upload_bias(ggml_tensor* bias, int64_t group, int64_t count, const float* values);

  ggml_backend_dev_t device_;
  int64_t max_tokens_;
  int64_t slice_tokens_;
  ggml_backend_ptr backend_;
  std::vector<Layer> layers_;
  Workspace workspace_;
  std::vector<float> floats_;   // of `upload`
  std::vector<uint8_t> bytes_;  // likewise
  Layer* running_ = nullptr;
  Layer* last_ = nullptr;
};

Result<Done> GgmlHotUnit::allocate(const std::vector<HotLayer>& layers) {
  auto opened = guard(device_, [&] {
    backend_.reset(ggml_backend_dev_init(device_, nullptr));
    return backend_ ? GGML_STATUS_SUCCESS : GGML_STATUS_FAILED;
  });
  if (!opened) return opened;
  if (ggml_backend_dev_type(device_) == GGML_BACKEND_DEVICE_TYPE_CPU) {
    // A CPU as the device is for tests; the model's own threads have the other cores.
    const auto set_threads = reinterpret_cast<ggml_backend_set_n_threads_t>(
        ggml_backend_reg_get_proc_address(ggml_backend_dev_backend_reg(device_), "ggml_backend_set_n_threads"));
    if (set_threads) set_threads(backend_.get(), 1);
  }
  layers_.reserve(layers.size());  // `running_` points into it
  for (const HotLayer& shape : layers) {
    const auto gate_type = is_gated(shape.form) ? stored_type(device_, shape.gate_type, shape.n_embd) : GGML_TYPE_F16;
    const auto up_type = stored_type(device_, shape.up_type, shape.n_embd);
    if (!gate_type || !up_type || !multiplies(device_, shape.down_type, kHotGroup)) {
      return unavailable(device_, std::string("cannot multiply rows of ") + ggml_type_name(shape.up_type) + " or what replaces them");
    }
    layers_.push_back({shape, *gate_type, *up_type, {}, {}, 0});
    auto allocated = allocate_weights(layers_.back());
    if (!allocated) return allocated;
  }
  allocate_exchange();
  return allocate_workspace();
}

Result<Done> GgmlHotUnit::allocate_weights(Layer& layer) {
  const HotLayer& shape = layer.shape;
  if (shape.n_groups == 0) return Done{};
  Weights weights;
  weights.context = make_context();
  const int64_t n_slots = shape.n_slots();
  ggml_context* context = weights.context.get();
  if (is_gated(shape.form)) weights.gate = ggml_new_tensor_2d(context, layer.gate_type, shape.n_embd, n_slots);
  weights.up = ggml_new_tensor_2d(context, layer.up_type, shape.n_embd, n_slots);
  weights.down = ggml_new_tensor_2d(context, shape.down_type, n_slots, shape.n_embd);
  if (shape.has_bias) {
    if (weights.gate) weights.gate_bias = ggml_new_tensor_1d(context, GGML_TYPE_F32, n_slots);
    weights.up_bias = ggml_new_tensor_1d(context, GGML_TYPE_F32, n_slots);
  }
  const size_t needed = ggml_backend_alloc_ctx_tensors_from_buft_size(context, ggml_backend_dev_buffer_type(device_));
  auto buffer = make_buffer(device_, needed, [&] {
    return ggml_backend_alloc_ctx_tensors_from_buft(context, ggml_backend_dev_buffer_type(device_));
  });
  if (!buffer) return buffer.error();
  weights.buffer = std::move(*buffer);
  auto cleared = guard(device_, [&] {
    ggml_backend_buffer_set_usage(weights.buffer.get(), GGML_BACKEND_BUFFER_USAGE_WEIGHTS);
    ggml_backend_buffer_clear(weights.buffer.get(), 0);  // blocks of zeros have the scale 0: empty slots
    return GGML_STATUS_SUCCESS;
  });
  if (cleared) layer.weights = std::move(weights);
  return cleared;
}

/// The graph of one layer for so many tokens; its tensors beside the weights have no memory yet.
Graph describe_graph(const Layer& layer, int64_t n_tokens) {
  Graph graph;
  graph.context = make_context();
  ggml_context* context = graph.context.get();
  const Weights& weights = layer.weights;
  // Some GPUs would sum in 16 bit, which a few large activations overflow.
  const auto multiply = [&](ggml_tensor* rows, ggml_tensor* x) {
    ggml_tensor* product = ggml_mul_mat(context, rows, x);
    ggml_mul_mat_set_prec(product, GGML_PREC_F32);
    return product;
  };
  const auto multiply_x = [&](ggml_tensor* rows, ggml_tensor* bias) {
    ggml_tensor* product = multiply(rows, graph.x);
    return bias ? ggml_add(context, product, bias) : product;
  };
  graph.x = ggml_new_tensor_2d(context, GGML_TYPE_F32, layer.shape.n_embd, n_tokens);
  ggml_tensor* gate = weights.gate ? multiply_x(weights.gate, weights.gate_bias) : nullptr;
  ggml_tensor* up = multiply_x(weights.up, weights.up_bias);
  graph.activations = activate(context, layer.shape.form, gate, up);
  graph.y = multiply(weights.down, graph.activations);
  ggml_set_output(graph.activations);  // no fusion may leave it unwritten
  graph.graph = ggml_new_graph_custom(context, kMaxTensors, false);
  ggml_build_forward_expand(graph.graph, graph.y);
  return graph;
}

/// Calls place(tensor, offset) for each tensor between x and y; returns the bytes they take one after the other.
template <typename Place>
size_t lay_out(const Graph& graph, ggml_backend_buffer_type_t type, Place place) {
  const size_t alignment = ggml_backend_buft_get_alignment(type);
  ggml_context* context = graph.context.get();
  size_t offset = 0;
  for (ggml_tensor* tensor = ggml_get_first_tensor(context); tensor; tensor = ggml_get_next_tensor(context, tensor)) {
    if (tensor == graph.x || tensor == graph.y) continue;
    place(tensor, offset);
    offset += GGML_PAD(ggml_backend_buft_get_alloc_size(type, tensor), alignment);
  }
  return offset;
}

/// Makes the workspace large enough for the largest layer. When that fails it stays as it was, for the layers it served.
Result<Done> GgmlHotUnit::allocate_workspace() {
  const ggml_backend_buffer_type_t type = ggml_backend_dev_buffer_type(device_);
  size_t needed = 0;
  std::string unsupported;
  for (const Layer& layer : layers_) {
    if (layer.shape.n_groups == 0) continue;
    const Graph graph = describe_graph(layer, slice_tokens_);
    for (int i = 0; i < ggml_graph_n_nodes(graph.graph); ++i) {
      const ggml_tensor* node = ggml_graph_node(graph.graph, i);
      if (!ggml_backend_dev_supports_op(device_, node)) unsupported = ggml_op_desc(node);
    }
    needed = std::max(needed, 2 * workspace_.exchange_bytes + lay_out(graph, type, [](ggml_tensor*, size_t) {}));
  }
  Workspace& space = workspace_;
  // Memory first: what is too large for it some devices call unsupported, too.
  const bool is_enough = needed == 0 || (space.buffer && ggml_backend_buffer_get_size(space.buffer.get()) >= needed);
  if (!is_enough) {
    if (auto fits = check_free(device_, needed); !fits) return fits;
  }
  if (!unsupported.empty()) return unavailable(device_, "cannot compute " + unsupported);
  if (is_enough) return Done{};
  auto larger = make_buffer(device_, needed, [&] { return ggml_backend_buft_alloc_buffer(type, needed); });
  if (!larger) return larger.error();
  for (Layer& layer : layers_) layer.n_tokens = 0;  // the tensors of their slices are in the old one
  space.buffer = std::move(*larger);
  return Done{};
}

/// Inputs and outputs of any layer, at any capacity.
void GgmlHotUnit::allocate_exchange() {
  size_t n_floats = 0;
  for (const Layer& layer : layers_) n_floats = std::max(n_floats, static_cast<size_t>(layer.shape.n_embd * max_tokens_));
  Workspace& space = workspace_;
  const size_t alignment = ggml_backend_buft_get_alignment(ggml_backend_dev_buffer_type(device_));
  space.exchange_bytes = GGML_PAD(n_floats * sizeof(float), alignment);
  if (const ggml_backend_buffer_type_t type = ggml_backend_dev_host_buffer_type(device_)) {
    space.pinned.reset(ggml_backend_buft_alloc_buffer(type, 2 * n_floats * sizeof(float)));
  }
  if (space.pinned) {
    space.x = static_cast<float*>(ggml_backend_buffer_get_base(space.pinned.get()));
  } else {
    space.plain.resize(2 * n_floats);
    space.x = space.plain.data();
  }
  space.y = space.x + n_floats;
}

Result<Done> GgmlHotUnit::build_slices(Layer& layer, int64_t n_tokens) {
  layer.slices.clear();
  layer.n_tokens = 0;
  ggml_backend_buffer_t buffer = workspace_.buffer.get();
  auto* const x = static_cast<char*>(ggml_backend_buffer_get_base(buffer));
  char* const y = x + workspace_.exchange_bytes;
  char* const between = y + workspace_.exchange_bytes;
  const auto place = [&](ggml_tensor* tensor, char* at) {
    return guard(device_, [&] { return ggml_backend_tensor_alloc(buffer, tensor, at); });
  };
  size_t exchanged = 0;
  for (int64_t first = 0; first < n_tokens; first += slice_tokens_) {
    Graph graph = describe_graph(layer, std::min(slice_tokens_, n_tokens - first));
    Result<Done> placed = place(graph.x, x + exchanged);
    if (placed) placed = place(graph.y, y + exchanged);
    lay_out(graph, ggml_backend_buffer_get_type(buffer), [&](ggml_tensor* tensor, size_t offset) {
      if (placed) placed = place(tensor, between + offset);
    });
    if (!placed) return placed;
    exchanged += ggml_nbytes(graph.x);
    layer.slices.push_back(std::move(graph));
  }
  layer.n_tokens = n_tokens;
  return Done{};
}

size_t GgmlHotUnit::memory_bytes() const {
  size_t bytes = workspace_.buffer ? ggml_backend_buffer_get_size(workspace_.buffer.get()) : 0;
  for (const Layer& layer : layers_) {
    if (layer.weights.buffer) bytes += ggml_backend_buffer_get_size(layer.weights.buffer.get());
  }
  return bytes;
}

Result<Done> GgmlHotUnit::upload(size_t index, int64_t group, const HotNeurons& neurons) {
  Layer& layer = layers_.at(index);
  const Weights& weights = layer.weights;
  CHECK(!running_ && group >= 0 && group < layer.shape.n_groups && neurons.count >= 0 && neurons.count <= kHotGroup);
  return guard(device_, [&] {
    if (weights.gate) upload_rows(weights.gate, layer.shape.gate_type, group, neurons.count, neurons.gate);
    upload_rows(weights.up, layer.shape.up_type, group, neurons.count, neurons.up);
    upload_down(layer, group, neurons.count, neurons.down);
    if (weights.gate_bias) upload_bias(weights.gate_bias, group, neurons.count, neurons.gate_bias);
    if (weights.up_bias) upload_bias(weights.up_bias, group, neurons.count, neurons.up_bias);
    return GGML_STATUS_SUCCESS;
  });
}

void GgmlHotUnit::upload_rows(ggml_tensor* rows, ggml_type from, int64_t group, int64_t count, const void* source) {
  const int64_t n_cols = rows->ne[0];
  const size_t row_bytes = rows->nb[1];
  bytes_.assign(kHotGroup * row_bytes, 0);
  if (rows->type == from) {
    std::memcpy(bytes_.data(), source, count * row_bytes);
  } else {
    floats_.resize(count * n_cols);
    ggml_get_type_traits(from)->to_float(source, floats_.data(), count * n_cols);
    ggml_quantize_chunk(rows->type, floats_.data(), bytes_.data(), 0, count, n_cols, nullptr);
  }
  ggml_backend_tensor_set(rows, bytes_.data(), group * bytes_.size(), bytes_.size());
}

void GgmlHotUnit::upload_down(const Layer& layer, int64_t group, int64_t count, const float* columns) {
  const int64_t n_embd = layer.shape.n_embd;
  floats_.assign(n_embd * kHotGroup, 0.0f);
  for (int64_t neuron = 0; neuron < count; ++neuron) {
    for (int64_t e = 0; e < n_embd; ++e) floats_[e * kHotGroup + neuron] = columns[neuron * n_embd + e];
  }
  ggml_tensor* down = layer.weights.down;
  const size_t piece = ggml_row_size(down->type, kHotGroup);
  bytes_.resize(n_embd * piece);
  ggml_quantize_chunk(down->type, floats_.data(), bytes_.data(), 0, n_embd, kHotGroup, nullptr);
  ggml_backend_tensor_set_2d(down, bytes_.data(), group * piece, piece, n_embd, down->nb[1], piece);
}

void GgmlHotUnit::upload_bias(ggml_tensor* bias, int64_t group, int64_t count, const float* values) {
  float padded[kHotGroup] = {};
  if (values) std::copy_n(values, count, padded);
  ggml_backend_tensor_set(bias, padded, group * sizeof(padded), sizeof(padded));
}

Result<Done> GgmlHotUnit::start(size_t index, const float* x, int64_t n_tokens) {
  Layer& layer = layers_.at(index);
  CHECK(!running_ && layer.shape.n_groups > 0 && n_tokens >= 1 && n_tokens <= max_tokens_);
  if (layer.n_tokens != n_tokens) {
    auto built = build_slices(layer, n_tokens);
    if (!built) return built;
  }
  std::copy_n(x, layer.shape.n_embd * n_tokens, workspace_.x);
  const int64_t slice_floats = layer.shape.n_embd * slice_tokens_;
  auto begun = guard(device_, [&] {
    const float* from = workspace_.x;
    for (const Graph& slice : layer.slices) {
      ggml_backend_tensor_set_async(backend_.get(), slice.x, from, 0, ggml_nbytes(slice.x));
      from += slice_floats;
    }
    for (const Graph& slice : layer.slices) {
      const ggml_status status = ggml_backend_graph_compute_async(backend_.get(), slice.graph);
      if (status != GGML_STATUS_SUCCESS) return status;
    }
    float* to = workspace_.y;
    for (const Graph& slice : layer.slices) {
      ggml_backend_tensor_get_async(backend_.get(), slice.y, to, 0, ggml_nbytes(slice.y));
      to += slice_floats;
    }
    return GGML_STATUS_SUCCESS;
  });
  if (begun) running_ = &layer;
  return begun;
}

Result<Done> GgmlHotUnit::wait(float* y) {
  CHECK(running_);
  last_ = running_;
  running_ = nullptr;
  auto ended = guard(device_, [&] {
    ggml_backend_synchronize(backend_.get());
    return GGML_STATUS_SUCCESS;
  });
  if (ended) std::copy_n(workspace_.y, last_->shape.n_embd * last_->n_tokens, y);
  return ended;
}

Result<Done> GgmlHotUnit::read_activations(std::span<float> values) {
  CHECK(!running_ && last_ && last_->n_tokens > 0 && last_->slices.size() == 1);
  ggml_tensor* activations = last_->slices.front().activations;
  CHECK(values.size_bytes() == ggml_nbytes(activations));
  return guard(device_, [&] {
    ggml_backend_tensor_get(activations, values.data(), 0, values.size_bytes());
    return GGML_STATUS_SUCCESS;
  });
}

Result<Done> GgmlHotUnit::resize(size_t index, int64_t n_groups) {
  Layer& layer = layers_.at(index);
  CHECK(!running_ && n_groups >= 0);
  layer.slices.clear();
  layer.n_tokens = 0;
  layer.weights = {};
  layer.shape.n_groups = n_groups;
  auto done = allocate_weights(layer);
  if (done) done = allocate_workspace();
  if (!done) {
    layer.weights = {};
    layer.shape.n_groups = 0;
  }
  return done;
}

}  // namespace

Result<std::unique_ptr<HotUnit>> make_ggml_hot_unit(ggml_backend_dev_t device, const HotUnitSpec& spec) {
  auto unit = std::make_unique<GgmlHotUnit>(device, spec);
  auto allocated = unit->allocate(spec.layers);
  if (!allocated) return allocated.error();
  return std::unique_ptr<HotUnit>(std::move(unit));
}

}  // namespace hotpath::hotcold
