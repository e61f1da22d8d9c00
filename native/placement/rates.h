// How fast this machine, or one that is imagined, moves bytes: what placement is computed from.
#pragma once

#include <string>

namespace hotpath {

struct MachineRates {
  // Achieved by reading, with as many threads as serve best. GB are 10^9 bytes.
  double cpu_stream_gbps = 0;
  double cpu_gather_2k_gbps = 0;  // a tenth of records of 2 kB, in ascending order
  double cpu_gather_4k_gbps = 0;
  // Zero without a GPU.
  double gpu_gbps = 0;       // of a matrix times a vector
  double gpu_layer_us = 0;   // what a layer's launches cost beside the bytes
  double exchange_us = 0;    // one vector from the GPU to the CPU, another back
  bool gpu_skips_silent = false;  // its kernels read the rows of active neurons only

  bool has_gpu() const { return gpu_gbps > 0; }
  double cpu_gather_gbps(double record_bytes) const;
};

}  // namespace hotpath
