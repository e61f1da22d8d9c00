// Where work enters the engine: what a library or a CHECK throws becomes an error here and nowhere else.
#pragma once

#include <exception>
#include <new>

#include "core/error.h"
#include "core/log.h"

namespace hotpath {

template <typename Work>
auto guarded(Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::device_out_of_memory, "out of memory", {}};
  } catch (const std::exception& thrown) {
    log(LogLevel::error, thrown.what());
    return Error{ErrorCode::internal_bug, thrown.what(), {}};
  }
}

}  // namespace hotpath
