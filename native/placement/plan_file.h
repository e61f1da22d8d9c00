// The file of a plan.
#pragma once

#include <string>
#include <string_view>

#include "placement/plan.h"

namespace hotpath {

std::string encode_plan(const Plan& plan);
/// Total: any bytes give a plan or file/unreadable; memory stays within a small multiple of the bytes.
Result<Plan> decode_plan(std::string_view bytes, const std::string& path);

Result<Plan> load_plan(const std::string& path);
Result<Done> save_plan(const Plan& plan, const std::string& path);

}  // namespace hotpath
