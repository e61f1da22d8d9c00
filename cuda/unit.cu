// hotpath_cuda.h over the kernels: memory, streams and errors of one device.
#include "hotpath_cuda.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <new>
#include <vector>

#include "kernels.cuh"

namespace hotpath::cuda {

namespace {

static_assert(kMaxTokens >= HOTPATH_CUDA_READABLE_TOKENS);

/// Device or pinned host memory that frees itself.
struct Memory {
  void* data = nullptr;
  size_t size = 0;
  bool pinned = false;

  Memory() = default;
  Memory(const Memory&) = delete;
  Memory(Memory&& other) noexcept : data(other.data), size(other.size), pinned(other.pinned) {
    other.data = nullptr;
    other.size = 0;
  }
  ~Memory() { release(); }

  void release() {
    if (data) (void)(pinned ? cudaFreeHost(data) : cudaFree(data));
    data = nullptr;
    size = 0;
  }

  /// Makes it at least `bytes` large; what it held is lost. When that fails it stays as it was: others may be using it.
  cudaError_t reserve(size_t bytes, bool pin) {
    if (bytes <= size) return cudaSuccess;
    void* larger = nullptr;
    const cudaError_t error = pin ? cudaMallocHost(&larger, bytes) : cudaMalloc(&larger, bytes);
    if (error != cudaSuccess) return error;
    release();
    data = larger;
    size = bytes;
    pinned = pin;
    return cudaSuccess;
  }

  uint8_t* bytes() const { return static_cast<uint8_t*>(data); }
  float* floats() const { return static_cast<float*>(data); }
};

struct Layer {
  hotpath_cuda_layer shape = {};
  DeviceLayer device = {};
  Memory memory;
};

size_t aligned(size_t bytes) { return (bytes + 255) / 256 * 256; }

void describe(hotpath_cuda_problem* problem, int status, const char* format, ...) {
  problem->status = status;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(problem->text, sizeof problem->text, format, arguments);
  va_end(arguments);
}

void describe(hotpath_cuda_problem* problem, const char* what, cudaError_t error) {
  const int status = error == cudaErrorMemoryAllocation ? HOTPATH_CUDA_OUT_OF_MEMORY : HOTPATH_CUDA_FAILED;
  describe(problem, status, "%s: %s", what, cudaGetErrorString(error));
}

}  // namespace

}  // namespace hotpath::cuda

using namespace hotpath::cuda;

struct hotpath_cuda_unit {
  int device = 0;
  int64_t max_tokens = 1;
  char name[HOTPATH_CUDA_TEXT] = "";
  hotpath_cuda_problem problem = {};
  std::vector<Layer> layers;

  cudaStream_t compute = nullptr;
  cudaStream_t transfer = nullptr;
  cudaEvent_t uploaded = nullptr;
  cudaEvent_t finished = nullptr;

  Memory x, activations, partials, y;  // on the device
  Memory host_x, host_y, staging;      // pinned
  int running = -1;
  int last = -1;
  int64_t n_tokens = 0;

  ~hotpath_cuda_unit() {
    (void)cudaSetDevice(device);
    if (compute) (void)cudaStreamSynchronize(compute);
    if (transfer) (void)cudaStreamSynchronize(transfer);
    if (uploaded) (void)cudaEventDestroy(uploaded);
    if (finished) (void)cudaEventDestroy(finished);
    if (compute) (void)cudaStreamDestroy(compute);
    if (transfer) (void)cudaStreamDestroy(transfer);
  }

  int fail(const char* what, cudaError_t error) {
    describe(&problem, what, error);
    (void)cudaGetLastError();  // errors that pass, such as exhausted memory, are not reported twice
    return problem.status;
  }

  int refuse(const char* what) {
    describe(&problem, HOTPATH_CUDA_FAILED, "%s", what);
    return HOTPATH_CUDA_FAILED;
  }
};

#define HOTPATH_TRY(what, call) \
  do { \
    if (const cudaError_t error = (call); error != cudaSuccess) return unit->fail(what, error); \
  } while (false)

namespace hotpath::cuda {

namespace {

int create_streams(hotpath_cuda_unit* unit) {
  HOTPATH_TRY("choosing the device", cudaSetDevice(unit->device));
  HOTPATH_TRY("making a stream", cudaStreamCreateWithFlags(&unit->compute, cudaStreamNonBlocking));
  HOTPATH_TRY("making a stream", cudaStreamCreateWithFlags(&unit->transfer, cudaStreamNonBlocking));
  HOTPATH_TRY("making an event", cudaEventCreateWithFlags(&unit->uploaded, cudaEventDisableTiming));
  HOTPATH_TRY("making an event", cudaEventCreateWithFlags(&unit->finished, cudaEventDisableTiming));
  return HOTPATH_CUDA_OK;
}

/// The workspace serves all layers in turn: as large as the largest needs.
int reserve_workspace(hotpath_cuda_unit* unit, const Layer& layer) {
  const size_t n_tokens = static_cast<size_t>(unit->max_tokens);
  const size_t x_bytes = n_tokens * layer.device.n_embd * sizeof(float);
  const size_t piece = std::min<size_t>(n_tokens, kMaxTokens);
  const size_t partial_bytes = piece * partials_of(layer.device) * layer.device.n_embd * sizeof(float);
  HOTPATH_TRY("the inputs", unit->x.reserve(x_bytes, false));
  HOTPATH_TRY("the outputs", unit->y.reserve(x_bytes, false));
  HOTPATH_TRY("the activations", unit->activations.reserve(piece * layer.device.n_slots * sizeof(float), false));
  HOTPATH_TRY("the partial sums", unit->partials.reserve(partial_bytes, false));
  HOTPATH_TRY("pinned memory", unit->host_x.reserve(x_bytes, true));
  HOTPATH_TRY("pinned memory", unit->host_y.reserve(x_bytes, true));
  return HOTPATH_CUDA_OK;
}

int allocate(hotpath_cuda_unit* unit, Layer& layer) {
  const hotpath_cuda_layer& shape = layer.shape;
  const size_t rows = aligned(static_cast<size_t>(shape.n_slots) * row_stride(shape.type, shape.n_embd));
  const size_t down = aligned(static_cast<size_t>(shape.n_slots) * row_stride(shape.down_type, shape.n_embd));
  const size_t bias = shape.has_bias ? aligned(static_cast<size_t>(shape.n_slots) * sizeof(float)) : 0;
  const int n_first = is_gated(shape.form) ? 2 : 1;
  const size_t bytes = n_first * (rows + bias) + down;
  size_t free = 0;
  size_t total = 0;
  HOTPATH_TRY("the free memory", cudaMemGetInfo(&free, &total));
  // Some drivers would accept more than fits, page it to RAM, and crawl.
  if (bytes > free) {
    describe(&unit->problem, HOTPATH_CUDA_OUT_OF_MEMORY, "hot neurons need %zu MB, %zu MB are free", bytes >> 20, free >> 20);
    return HOTPATH_CUDA_OUT_OF_MEMORY;
  }
  HOTPATH_TRY("hot neurons", layer.memory.reserve(bytes, false));
  // Blocks of zeros have the scale 0: empty slots.
  HOTPATH_TRY("clearing", cudaMemsetAsync(layer.memory.data, 0, bytes, unit->transfer));
  HOTPATH_TRY("clearing", cudaEventRecord(unit->uploaded, unit->transfer));

  uint8_t* next = layer.memory.bytes();
  const auto take = [&next](size_t size) {
    uint8_t* const part = next;
    next += size;
    return part;
  };
  DeviceLayer& device = layer.device;
  device.n_embd = static_cast<int>(shape.n_embd);
  device.n_slots = static_cast<int>(shape.n_slots);
  device.form = shape.form;
  device.type = shape.type;
  device.down_type = shape.down_type;
  device.gate = is_gated(shape.form) ? take(rows) : nullptr;
  device.up = take(rows);
  device.down = take(down);
  device.gate_bias = device.gate && bias ? reinterpret_cast<float*>(take(bias)) : nullptr;
  device.up_bias = bias ? reinterpret_cast<float*>(take(bias)) : nullptr;
  return reserve_workspace(unit, layer);
}

/// Packs `count` rows to `staging` and sends them to the group's place; the rest of the group becomes zeros.
cudaError_t send_rows(hotpath_cuda_unit* unit, size_t& staged, const uint8_t* rows, int type, int64_t n_embd, int64_t group,
                      const void* source, int count) {
  const int64_t stride = row_stride(type, n_embd);
  const int64_t source_stride = source_bytes(type, n_embd);
  uint8_t* packed = unit->staging.bytes() + staged;
  const size_t bytes = kGroup * stride;
  std::memset(packed, 0, bytes);
  const auto* rows_in_file = static_cast<const uint8_t*>(source);
  for (int i = 0; i < count; ++i) pack_row(type, rows_in_file + i * source_stride, n_embd, packed + i * stride);
  staged += aligned(bytes);
  return cudaMemcpyAsync(const_cast<uint8_t*>(rows) + group * bytes, packed, bytes, cudaMemcpyHostToDevice, unit->transfer);
}

cudaError_t send_bias(hotpath_cuda_unit* unit, size_t& staged, const float* bias, int64_t group, const float* source, int count) {
  auto* packed = reinterpret_cast<float*>(unit->staging.bytes() + staged);
  for (int i = 0; i < kGroup; ++i) packed[i] = source && i < count ? source[i] : 0.0f;
  staged += aligned(kGroup * sizeof(float));
  return cudaMemcpyAsync(const_cast<float*>(bias) + group * kGroup, packed, kGroup * sizeof(float), cudaMemcpyHostToDevice,
                         unit->transfer);
}

}  // namespace

}  // namespace hotpath::cuda

extern "C" {

int hotpath_cuda_version(void) { return HOTPATH_CUDA_VERSION; }

void hotpath_cuda_probe(hotpath_cuda_problem* state) {
  int driver = 0;
  int runtime = 0;
  int n_devices = 0;
  (void)cudaRuntimeGetVersion(&runtime);
  // Without a driver this succeeds and says 0.
  const cudaError_t asked = cudaDriverGetVersion(&driver);
  const auto major = [](int version) { return version / 1000; };
  const auto minor = [](int version) { return version % 1000 / 10; };
  if (asked != cudaSuccess || driver == 0) {
    return describe(state, HOTPATH_CUDA_NO_DRIVER, "no NVIDIA driver is installed");
  }
  const cudaError_t counted = cudaGetDeviceCount(&n_devices);
  if (counted == cudaErrorInsufficientDriver) {
    return describe(state, HOTPATH_CUDA_DRIVER_TOO_OLD, "the driver supports CUDA %d.%d, %d.%d is needed", major(driver),
                    minor(driver), major(runtime), minor(runtime));
  }
  if (counted != cudaSuccess || n_devices == 0) {
    return describe(state, HOTPATH_CUDA_NO_DEVICE, "no CUDA device: %s",
                    counted == cudaSuccess ? "the driver lists none" : cudaGetErrorString(counted));
  }
  describe(state, HOTPATH_CUDA_OK, "%d device%s, driver %d.%d, runtime %d.%d", n_devices, n_devices == 1 ? "" : "s",
           major(driver), minor(driver), major(runtime), minor(runtime));
}

int hotpath_cuda_supports(const hotpath_cuda_layer* layer) {
  return layer->form >= 0 && layer->form < kFormCount && layer->n_slots >= 0 && layer->n_slots % kGroup == 0 &&
         layer->n_slots <= (1 << 20) && layer->n_embd > 0 && layer->n_embd <= (1 << 16) &&
         row_stride(layer->type, layer->n_embd) > 0 && (layer->down_type == kF16 || layer->down_type == kQ8_0);
}

hotpath_cuda_unit* hotpath_cuda_open(const char* device, int n_layers, int64_t max_tokens, hotpath_cuda_problem* problem) {
  hotpath_cuda_probe(problem);
  if (problem->status != HOTPATH_CUDA_OK) return nullptr;
  int index = 0;
  if (const cudaError_t error = cudaDeviceGetByPCIBusId(&index, device); error != cudaSuccess) {
    (void)cudaGetLastError();
    describe(problem, HOTPATH_CUDA_NO_DEVICE, "no CUDA device at %s: %s", device, cudaGetErrorString(error));
    return nullptr;
  }
  auto* unit = new (std::nothrow) hotpath_cuda_unit;
  cudaDeviceProp properties;
  if (!unit || cudaGetDeviceProperties(&properties, index) != cudaSuccess) {
    delete unit;
    describe(problem, HOTPATH_CUDA_FAILED, "the device at %s says nothing about itself", device);
    return nullptr;
  }
  unit->device = index;
  unit->max_tokens = max_tokens;
  std::snprintf(unit->name, sizeof unit->name, "%s", properties.name);
  unit->layers.resize(static_cast<size_t>(n_layers));
  if (create_streams(unit) != HOTPATH_CUDA_OK) {
    *problem = unit->problem;
    delete unit;
    return nullptr;
  }
  return unit;
}

void hotpath_cuda_close(hotpath_cuda_unit* unit) { delete unit; }

const char* hotpath_cuda_device_name(const hotpath_cuda_unit* unit) { return unit->name; }

const char* hotpath_cuda_last_problem(const hotpath_cuda_unit* unit) { return unit->problem.text; }

size_t hotpath_cuda_memory_bytes(const hotpath_cuda_unit* unit) {
  size_t bytes = unit->x.size + unit->y.size + unit->activations.size + unit->partials.size;
  for (const Layer& layer : unit->layers) bytes += layer.memory.size;
  return bytes;
}

int hotpath_cuda_set_layer(hotpath_cuda_unit* unit, int index, const hotpath_cuda_layer* shape) {
  if (!hotpath_cuda_supports(shape)) return unit->refuse("the kernels do not cover this layer");
  HOTPATH_TRY("choosing the device", cudaSetDevice(unit->device));
  Layer& layer = unit->layers[index];
  layer.memory.release();
  layer.device = {};
  layer.shape = *shape;
  if (shape->n_slots == 0) return HOTPATH_CUDA_OK;
  const int status = allocate(unit, layer);
  if (status != HOTPATH_CUDA_OK) {
    layer.memory.release();
    layer.device = {};
    layer.shape.n_slots = 0;
  }
  return status;
}

int hotpath_cuda_upload(hotpath_cuda_unit* unit, int index, int64_t group, const hotpath_cuda_neurons* neurons) {
  const Layer& layer = unit->layers[index];
  const DeviceLayer& device = layer.device;
  const int64_t n_embd = device.n_embd;
  HOTPATH_TRY("choosing the device", cudaSetDevice(unit->device));
  HOTPATH_TRY("the group before", cudaEventSynchronize(unit->uploaded));  // the staging memory is free again
  const size_t rows = aligned(kGroup * row_stride(device.type, n_embd));
  const size_t needed = 2 * rows + aligned(kGroup * row_stride(device.down_type, n_embd)) + 2 * aligned(kGroup * sizeof(float));
  HOTPATH_TRY("pinned memory", unit->staging.reserve(needed, true));
  size_t staged = 0;
  const int count = neurons->count;
  if (device.gate) {
    HOTPATH_TRY("gate rows", send_rows(unit, staged, device.gate, device.type, n_embd, group, neurons->gate, count));
  }
  HOTPATH_TRY("up rows", send_rows(unit, staged, device.up, device.type, n_embd, group, neurons->up, count));
  HOTPATH_TRY("down rows", send_rows(unit, staged, device.down, device.down_type, n_embd, group, neurons->down, count));
  if (device.gate_bias) HOTPATH_TRY("biases", send_bias(unit, staged, device.gate_bias, group, neurons->gate_bias, count));
  if (device.up_bias) HOTPATH_TRY("biases", send_bias(unit, staged, device.up_bias, group, neurons->up_bias, count));
  HOTPATH_TRY("the group", cudaEventRecord(unit->uploaded, unit->transfer));
  return HOTPATH_CUDA_OK;
}

int hotpath_cuda_start(hotpath_cuda_unit* unit, int index, const float* x, int64_t n_tokens) {
  const DeviceLayer& layer = unit->layers[index].device;
  if (unit->running >= 0 || layer.n_slots == 0 || n_tokens < 1 || n_tokens > unit->max_tokens) {
    return unit->refuse("started out of turn");
  }
  HOTPATH_TRY("choosing the device", cudaSetDevice(unit->device));
  const size_t bytes = static_cast<size_t>(n_tokens) * layer.n_embd * sizeof(float);
  for (int64_t t = 0; t < n_tokens; ++t) {
    arrange_inputs(layer.type, x + t * layer.n_embd, layer.n_embd, unit->host_x.floats() + t * layer.n_embd);
  }
  HOTPATH_TRY("uploads", cudaStreamWaitEvent(unit->compute, unit->uploaded, 0));
  HOTPATH_TRY("the inputs", cudaMemcpyAsync(unit->x.data, unit->host_x.data, bytes, cudaMemcpyHostToDevice, unit->compute));
  for (int64_t first = 0; first < n_tokens; first += kMaxTokens) {
    const int count = static_cast<int>(std::min<int64_t>(kMaxTokens, n_tokens - first));
    float* activations = unit->activations.floats();  // of one piece after the other: a prompt's would fill the device
    launch_neurons(layer, unit->x.floats() + first * layer.n_embd, count, activations, unit->compute);
    launch_down(layer, activations, count, unit->partials.floats(), unit->compute);
    launch_sum(layer, unit->partials.floats(), count, unit->y.floats() + first * layer.n_embd, unit->compute);
  }
  HOTPATH_TRY("the kernels", cudaGetLastError());
  HOTPATH_TRY("the outputs", cudaMemcpyAsync(unit->host_y.data, unit->y.data, bytes, cudaMemcpyDeviceToHost, unit->compute));
  HOTPATH_TRY("the outputs", cudaEventRecord(unit->finished, unit->compute));
  unit->running = index;
  unit->n_tokens = n_tokens;
  return HOTPATH_CUDA_OK;
}

int hotpath_cuda_wait(hotpath_cuda_unit* unit, float* y) {
  if (unit->running < 0) return unit->refuse("nothing was started");
  unit->last = unit->running;
  unit->running = -1;
  HOTPATH_TRY("choosing the device", cudaSetDevice(unit->device));
  HOTPATH_TRY("the kernels", cudaEventSynchronize(unit->finished));
  std::memcpy(y, unit->host_y.data, static_cast<size_t>(unit->n_tokens) * unit->layers[unit->last].device.n_embd * sizeof(float));
  return HOTPATH_CUDA_OK;
}

int hotpath_cuda_read_activations(hotpath_cuda_unit* unit, float* values) {
  if (unit->running >= 0 || unit->last < 0) return unit->refuse("no run has ended");
  if (unit->n_tokens > HOTPATH_CUDA_READABLE_TOKENS) return unit->refuse("the run had too many tokens to keep their activations");
  const size_t bytes = static_cast<size_t>(unit->n_tokens) * unit->layers[unit->last].device.n_slots * sizeof(float);
  HOTPATH_TRY("choosing the device", cudaSetDevice(unit->device));
  HOTPATH_TRY("the activations", cudaMemcpy(values, unit->activations.data, bytes, cudaMemcpyDeviceToHost));
  return HOTPATH_CUDA_OK;
}

}  // extern "C"
