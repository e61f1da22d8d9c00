#include "hotcold/device.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <vector>

#include "core/log.h"
#include "ggml-backend-impl.h"
#include "hotcold/buffer.h"
#include "hotcold/executor.h"
#include "hotcold/linear.h"

namespace hotpath::hotcold {

namespace {

constexpr const char* kName = "Hotpath";

/// Why ggml's result with this weight would be another one than ours; empty when it is the same.
std::string obstacle_to_dense(const Store::Weight& weight) {
  if (weight.plain) return "";
  if (weight.store.form()) return "llama.cpp has another activation than the model";
  const Layer& layer = weight.store.layer(weight.name.layer);
  const bool is_down = weight.name.part == Part::down && !weight.name.bias;
  if (is_down && layer.down.kernels().scales == DownScales::along_output) return "the matrix is stored transposed";
  return "";
}

/// What a llama_context has of us.
class Stream {
 public:
  Workers& workers() { return workers_; }

  ggml_status compute(ggml_cgraph* graph) {
    for (int i = 0; i < ggml_graph_n_nodes(graph);) {
      ggml_tensor* node = ggml_graph_node(graph, i);
      ggml_status status = GGML_STATUS_SUCCESS;
      if (is_empty_op(node)) {
        ++i;
      } else if (is_plain_product(node)) {
        workers_.set_threadpool(weight_of(node->src[0])->store.threadpool());
        status = linear_.run(node);
        ++i;
      } else if (const Match match = match_ffn(graph, i); match.end > 0) {
        workers_.set_threadpool(match.ffn.store->threadpool());
        status = executor_.run(match.ffn);
        i = match.end;
      } else {
        status = compute_dense(node, match.reason);
        ++i;
      }
      if (status != GGML_STATUS_SUCCESS) return status;
    }
    return GGML_STATUS_SUCCESS;
  }

 private:
  /// Any op, by ggml's own code on ggml's own layout of the weights.
  ggml_status compute_dense(ggml_tensor* node, const std::string& reason) {
    ggml_tensor copy = *node;
    ggml_tensor plain[2];
    std::vector<uint8_t> bytes[2];
    for (int i = 0; i < 2; ++i) {
      const Store::Weight* weight = weight_of(node->src[i]);
      if (!weight) continue;
      if (const std::string obstacle = obstacle_to_dense(*weight); !obstacle.empty()) {
        const std::string what = std::string(node->name) + " cannot be left to llama.cpp: " + obstacle + "; it is in no known FFN: " + reason;
        log(LogLevel::error, "hot/cold: " + what);
        weight->store.set_failure({ErrorCode::model_unsupported, what, {{"node", std::string(node->name)}}});
        return GGML_STATUS_FAILED;
      }
      plain[i] = *node->src[i];
      bytes[i].resize(ggml_nbytes(node->src[i]));
      ggml_backend_tensor_get(node->src[i], bytes[i].data(), 0, bytes[i].size());
      plain[i].data = bytes[i].data();
      plain[i].buffer = nullptr;
      plain[i].extra = nullptr;
      copy.src[i] = &plain[i];
      if (++weight->store.stats().dense_ops == 1) {
        log(LogLevel::warn, std::string("hot/cold: ") + node->name + " is computed by ggml: " + reason);
      }
    }
    return workers_.compute(&copy);
  }

  Workers workers_;
  Executor executor_{workers_};
  Linear linear_{workers_};
};

Stream& stream(ggml_backend_t backend) { return *static_cast<Stream*>(backend->context); }

const char* backend_name(ggml_backend_t) { return kName; }

void free_backend(ggml_backend_t backend) {
  delete static_cast<Stream*>(backend->context);
  delete backend;
}

ggml_status compute_graph(ggml_backend_t backend, ggml_cgraph* graph) {
  try {
    return stream(backend).compute(graph);
  } catch (const std::bad_alloc&) {
    return GGML_STATUS_ALLOC_FAILED;
  } catch (const std::exception& thrown) {
    log(LogLevel::error, thrown.what());
    return GGML_STATUS_FAILED;
  }
}

ggml_backend_t init_backend(ggml_backend_dev_t device, const char*) {
  static ggml_guid guid = {0x68, 0x6f, 0x74, 0x70, 0x61, 0x74, 0x68, 0x2d, 0x68, 0x6f, 0x74, 0x63, 0x6f, 0x6c, 0x64, 0x31};
  ggml_backend_i functions = {};
  functions.get_name = backend_name;
  functions.free = free_backend;
  functions.graph_compute = compute_graph;
  auto stream = std::make_unique<Stream>();
  return new ggml_backend{&guid, functions, device, stream.release()};
}

const char* device_name(ggml_backend_dev_t) { return kName; }

const char* device_description(ggml_backend_dev_t) { return "hot/cold neurons on the CPU"; }

// The memory is the CPU's, which counts it.
void device_memory(ggml_backend_dev_t, size_t* free, size_t* total) { *free = *total = 0; }

enum ggml_backend_dev_type device_type(ggml_backend_dev_t) { return GGML_BACKEND_DEVICE_TYPE_ACCEL; }

void device_props(ggml_backend_dev_t device, ggml_backend_dev_props* props) {
  *props = {};
  props->name = device_name(device);
  props->description = device_description(device);
  props->type = device_type(device);
}

/// For values between our ops. That it is the CPU's also keeps llama.cpp from choosing us for weights nobody offered us.
ggml_backend_buffer_type_t device_buffer_type(ggml_backend_dev_t) {
  return ggml_backend_dev_buffer_type(ggml_backend_dev_by_type(GGML_BACKEND_DEVICE_TYPE_CPU));
}

bool supports_op(ggml_backend_dev_t, const ggml_tensor* op) { return is_ffn_op(op) || has_plain_matrix(op); }

bool supports_buffer_type(ggml_backend_dev_t, ggml_backend_buffer_type_t type) {
  return is_our_buffer_type(type) || ggml_backend_buft_is_host(type);
}

const char* registry_name(ggml_backend_reg_t) { return kName; }

size_t device_count(ggml_backend_reg_t) { return 1; }

ggml_backend_dev_t get_device(ggml_backend_reg_t registry, size_t);

void set_threads(ggml_backend_t backend, int n) { stream(backend).workers().set_threads(n); }

void set_abort_callback(ggml_backend_t backend, ggml_abort_callback callback, void* data) {
  stream(backend).workers().set_abort_callback(callback, data);
}

void* proc_address(ggml_backend_reg_t, const char* name) {
  if (std::strcmp(name, "ggml_backend_set_n_threads") == 0) return reinterpret_cast<void*>(set_threads);
  if (std::strcmp(name, "ggml_backend_set_abort_callback") == 0) return reinterpret_cast<void*>(set_abort_callback);
  return nullptr;
}

ggml_backend_reg* registry() {
  static ggml_backend_reg registry = {
      GGML_BACKEND_API_VERSION, {registry_name, device_count, get_device, proc_address}, nullptr};
  return &registry;
}

ggml_backend_dev_t device() {
  static ggml_backend_device device = [] {
    ggml_backend_device_i functions = {};
    functions.get_name = device_name;
    functions.get_description = device_description;
    functions.get_memory = device_memory;
    functions.get_type = device_type;
    functions.get_props = device_props;
    functions.init_backend = init_backend;
    functions.get_buffer_type = device_buffer_type;
    functions.supports_op = supports_op;
    functions.supports_buft = supports_buffer_type;
    return ggml_backend_device{functions, registry(), nullptr};
  }();
  return &device;
}

ggml_backend_dev_t get_device(ggml_backend_reg_t, size_t) { return device(); }

}  // namespace

ggml_backend_dev_t register_device() {
  static const ggml_backend_dev_t registered = [] {
    ggml_backend_register(registry());
    return device();
  }();
  return registered;
}

}  // namespace hotpath::hotcold
