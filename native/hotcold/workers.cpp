#include "hotcold/workers.h"

#include "core/error.h"
#include "ggml-cpu.h"

namespace hotpath::hotcold {

namespace {

template <typename Function>
Function* cpu_function(ggml_backend_t cpu, const char* name) {
  const ggml_backend_reg_t backend = ggml_backend_dev_backend_reg(ggml_backend_get_device(cpu));
  return reinterpret_cast<Function*>(ggml_backend_reg_get_proc_address(backend, name));
}

}  // namespace

Workers::Workers() : cpu_(ggml_backend_init_by_type(GGML_BACKEND_DEVICE_TYPE_CPU, nullptr)) {
  CHECK(cpu_);
  const size_t graph_bytes = (kMaxPhases + 1) * ggml_graph_overhead_custom(kMaxPhases, false);
  context_.reset(ggml_init({graph_bytes + kMaxPhases * ggml_tensor_overhead(), nullptr, true}));
  CHECK(context_);
  std::array<ggml_tensor*, kMaxPhases> nodes;
  for (size_t i = 0; i < kMaxPhases; ++i) {
    nodes[i] = ggml_custom_4d(context_.get(), GGML_TYPE_F32, 1, 1, 1, 1, nullptr, 0, run_slot, GGML_N_TASKS_MAX, &slots_[i]);
    graphs_[i] = ggml_new_graph_custom(context_.get(), kMaxPhases, false);
    for (size_t n = 0; n <= i; ++n) ggml_build_forward_expand(graphs_[i], nodes[n]);
  }
  single_ = ggml_new_graph_custom(context_.get(), kMaxPhases, false);
  set_threads(1);  // ggml would take four
}

void Workers::set_threads(int n) {
  if (n == threads_) return;
  threads_ = n;
  if (const auto set = cpu_function<void(ggml_backend_t, int)>(cpu_.get(), "ggml_backend_set_n_threads")) set(cpu_.get(), n);
}

void Workers::set_threadpool(ggml_threadpool* pool) {
  if (pool == pool_) return;
  pool_ = pool;
  const auto set = cpu_function<void(ggml_backend_t, ggml_threadpool*)>(cpu_.get(), "ggml_backend_cpu_set_threadpool");
  if (set) set(cpu_.get(), pool);
}

void Workers::set_abort_callback(ggml_abort_callback callback, void* data) {
  const auto set = cpu_function<void(ggml_backend_t, ggml_abort_callback, void*)>(cpu_.get(), "ggml_backend_set_abort_callback");
  if (set) set(cpu_.get(), callback, data);
}

ggml_status Workers::run(std::span<const Phase> phases, void* self) {
  CHECK(!phases.empty() && phases.size() <= kMaxPhases);
  for (size_t i = 0; i < phases.size(); ++i) {
    slots_[i].phase = phases[i];
    slots_[i].self = self;
    slots_[i].next.store(0, std::memory_order_relaxed);
  }
  return ggml_backend_graph_compute(cpu_.get(), graphs_[phases.size() - 1]);
}

void Workers::run_slot(ggml_tensor*, int ith, int, void* slot) {
  Slot& self = *static_cast<Slot*>(slot);
  while (true) {
    const int64_t chunk = self.next.fetch_add(1, std::memory_order_relaxed);
    if (chunk >= self.phase.n_chunks) return;
    self.phase.run(self.self, chunk, ith);
  }
}

ggml_status Workers::compute(ggml_tensor* node) {
  ggml_graph_clear(single_);
  ggml_graph_add_node(single_, node);
  return ggml_backend_graph_compute(cpu_.get(), single_);
}

}  // namespace hotpath::hotcold
