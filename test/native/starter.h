// The starter model, loaded through the engine's public surface.
#pragma once

#include "engine/engine.h"
#include "test.h"

namespace hotpath::test {

/// Starts the engine once for all tests.
void start_engine();

ModelSpec starter_spec();
std::shared_ptr<Model> load_starter();

/// Greedy, without a limit on lines.
GenerateParams params_for(const std::string& prefix, const std::string& suffix, size_t max_tokens,
                          const std::string& key = "document");

/// About this many tokens of Python.
std::string long_text(size_t n_tokens);

template <typename T>
std::string code_of(const Result<T>& result) {
  return result ? "ok" : error_code_text(result.error().code);
}

}  // namespace hotpath::test
