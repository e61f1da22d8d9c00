#include "starter.h"

namespace hotpath::test {

void start_engine() {
  static const auto libraries = engine::start({HOTPATH_LIBRARY_DIR, HOTPATH_GPU_LIBRARY_DIR});
  if (!libraries) throw Failure(libraries.error().message);
}

ModelSpec starter_spec() {
  ModelSpec spec;
  spec.path = HOTPATH_STARTER_MODEL;
  spec.device = DeviceChoice::cpu;
  spec.threads = 1;
  return spec;
}

std::shared_ptr<Model> load_starter() {
  start_engine();
  auto model = engine::load(starter_spec());
  if (!model) throw Failure(model.error().message);
  return *model;
}

GenerateParams params_for(const std::string& prefix, const std::string& suffix, size_t max_tokens, const std::string& key) {
  GenerateParams params;
  params.prefix = prefix;
  params.suffix = suffix;
  params.max_tokens = max_tokens;
  params.sequence_key = key;
  return params;
}

std::string long_text(size_t n_tokens) {
  std::string text;
  // Six tokens a line in the starter model's vocabulary, give or take one.
  for (size_t i = 0; i < n_tokens / 6; ++i) text += "value" + std::to_string(i % 10) + " = compute(" + std::to_string(i) + ")\n";
  return text;
}

}  // namespace hotpath::test
