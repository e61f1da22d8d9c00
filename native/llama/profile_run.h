// Runs text through a model and counts which neurons it makes active. Stock llama.cpp computes, on any device, and we look
// at what goes into the down matrices; of a model it would compute wrongly, the hot/cold backend tells.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "activation/profile.h"
#include "core/cancel.h"
#include "llama/loaded_model.h"

namespace hotpath {

struct ProfileProgress {
  uint64_t tokens;  // done
  uint64_t total_tokens;
};

using OnProfileProgress = std::function<void(const ProfileProgress&)>;

/// Reads the UTF-8 files and runs them through a model of its own. `spec` says where; its context length and mode are
/// not used.
Result<ActivationProfile> profile_files(const ModelSpec& spec, const std::vector<std::string>& files,
                                        const OnProfileProgress& on_progress, const CancelFlag& cancel);

}  // namespace hotpath
