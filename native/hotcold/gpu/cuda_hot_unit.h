// The hot half by Hotpath's CUDA kernels, a library opened at run time.
#pragma once

#include "hotcold/gpu/hot_unit.h"

namespace hotpath::hotcold {

enum class CudaState { no_library, wrong_library, no_driver, driver_too_old, no_device, ok };

struct CudaLibrary {
  CudaState state;
  std::string text;  // a sentence with the actual values
};

/// What the library at `path` finds on this machine. The first call for a path opens it; it stays open.
CudaLibrary cuda_library(const std::string& path);

/// device/unavailable when the library, the device or kernels for a layer are missing.
Result<std::unique_ptr<HotUnit>> make_cuda_hot_unit(const std::string& library, ggml_backend_dev_t device,
                                                    const HotUnitSpec& spec);

}  // namespace hotpath::hotcold
