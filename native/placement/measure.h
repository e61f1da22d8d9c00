// Measures how fast this machine moves bytes. Takes seconds; the result is worth keeping.
#pragma once

#include <string>
#include <vector>

#include "core/cancel.h"
#include "core/error.h"
#include "placement/rates.h"

namespace hotpath {

struct CpuRate {
  int threads;
  double stream_gbps;
  double gather_2k_gbps;
  double gather_4k_gbps;
};

struct GpuRate {
  std::string name;         // "Vulkan0"
  std::string description;  // "NVIDIA GeForce RTX 4090"
  double matvec_gbps;       // F16 matrix times a vector: what decoding does
  double graph_us;          // an almost empty graph, started and awaited
  double exchange_us;       // 16 kB from the device and 16 kB to it
  double upload_gbps;
  double download_gbps;
};

struct MachineMeasurement {
  std::vector<CpuRate> cpu;  // by number of threads, ascending
  std::vector<GpuRate> gpus;
};

/// About two seconds for the CPU and one per GPU. request/cancelled when the flag is raised; a GPU that fails is left out
/// and named in the log. start_runtime() must have been called.
Result<MachineMeasurement> measure_machine(const CancelFlag& cancel);

/// What the solver needs: the CPU at its best number of threads, and the GPU a model would use, if any.
MachineRates rates_of(const MachineMeasurement& measurement);

}  // namespace hotpath
