// The functions of src/engineHost/addon.ts that measure, profile and plan.
#pragma once

#include <napi.h>

namespace hotpath {

void export_planning(Napi::Env env, Napi::Object exports);

}  // namespace hotpath
