// The options of a synthetic model as a command line names them, without their dashes.
#pragma once

#include <map>
#include <string>

#include "synth/shape.h"

namespace hotpath::synth {

/// preset, arch, type, active ("A" or "A:B"), skew, powerinfer ("yes" or "no"), seed, and the fields of Shape by name.
/// request/invalid, naming what is wrong; what cannot be together, check_spec tells.
Result<Spec> read_spec(const std::map<std::string, std::string>& options);

}  // namespace hotpath::synth
