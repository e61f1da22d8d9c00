// Makes and checks the sidecar of a model.
#pragma once

#include <functional>
#include <string>

#include "core/cancel.h"
#include "core/error.h"
#include "formats/sidecar.h"
#include "hotcold/store.h"

namespace hotpath {

/// PrepareParams of src/protocol/model.ts.
struct PrepareParams {
  std::string model;
  std::string sidecar;      // the file to make
  bool only_check = false;  // compare one that is there with its hashes and with the model
  hotcold::Mode mode = hotcold::Mode::automatic;  // that the model is to be used in
};

enum class PrepareStep { packing, comparing, checking };

/// `done` of `total`: bytes, or the text when comparing.
using OnPrepare = std::function<void(PrepareStep step, double done, double total)>;

/// PrepareResult of src/protocol/model.ts.
struct Prepared {
  std::string path;
  uint64_t bytes = 0;
  uint64_t kept_bytes = 0;  // that an interrupted attempt had packed, or all when it was there already
  uint32_t tensors = 0;
  Divergence divergence;
  double seconds = 0;
};

/// The file appears whole or not at all. What an attempt that failed or was cancelled has packed stays in `<sidecar>.part`,
/// and the next one goes on from there, unless it was found to compute something else than the model. One that is there
/// is believed when it has all that is wanted and every byte has its hash, else replaced. request/invalid when the mode would not use it.
Result<Prepared> prepare_model(const PrepareParams& params, const OnPrepare& on_progress, const CancelFlag& cancel);

}  // namespace hotpath
