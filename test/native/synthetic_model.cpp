#include "synthetic_model.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <numeric>

#include "test.h"

namespace hotpath::test {

namespace fs = std::filesystem;

SyntheticModel::SyntheticModel(const synth::Spec& spec)
    : path_(fs::temp_directory_path() / ("hotpath-synth-" + std::to_string(reinterpret_cast<uintptr_t>(this)) + ".gguf")) {
  const auto written = synth::write_model(spec, HOTPATH_STARTER_MODEL, path(), [](uint64_t, uint64_t) {}, CancelFlag());
  if (!written) throw Failure(written.error().message);
}

SyntheticModel::~SyntheticModel() {
  std::error_code ignored;  // nothing depends on it
  fs::remove(path_, ignored);
}

std::string SyntheticModel::bytes() const {
  std::ifstream file(path_, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

synth::Spec tiny_spec(synth::Arch arch, ggml_type type) {
  synth::Spec spec;
  spec.arch = arch;
  spec.type = type;
  spec.shape = synth::find_preset(arch == synth::Arch::moe ? "tiny-moe" : "tiny")->shape;
  return spec;
}

synth::Spec tiny_powerinfer(synth::Arch arch, ggml_type type) {
  synth::Spec spec = tiny_spec(arch, type);
  spec.powerinfer = true;
  if (arch == synth::Arch::opt) spec.shape.n_kv_heads = spec.shape.n_heads;
  return spec;
}

std::vector<int32_t> text_tokens(size_t n) {
  std::vector<int32_t> tokens(n);
  for (size_t i = 0; i < n; ++i) tokens[i] = static_cast<int32_t>(300 + i * 37 % 2000);
  return tokens;
}

double active_fraction(const std::vector<uint32_t>& counts, size_t n_tokens) {
  return std::accumulate(counts.begin(), counts.end(), 0.0) / static_cast<double>(counts.size() * n_tokens);
}

double hot_share(std::vector<uint32_t> counts) {
  std::sort(counts.rbegin(), counts.rend());
  const auto n_hot = static_cast<ptrdiff_t>(synth::kHotFraction * static_cast<double>(counts.size()));
  return std::accumulate(counts.begin(), counts.begin() + n_hot, 0.0) / std::accumulate(counts.begin(), counts.end(), 0.0);
}

void expect_near(double actual, double expected, double tolerance) {
  if (std::abs(actual - expected) <= tolerance) return;
  throw Failure(std::to_string(actual) + " is not within " + std::to_string(tolerance) + " of " + std::to_string(expected));
}

}  // namespace hotpath::test
