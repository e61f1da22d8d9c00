// Synthetic models as files of the tests, and what is measured on them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "synth/writer.h"

namespace hotpath::test {

/// A synthetic model in the temporary folder, gone with its owner.
class SyntheticModel {
 public:
  explicit SyntheticModel(const synth::Spec& spec);
  ~SyntheticModel();
  SyntheticModel(const SyntheticModel&) = delete;

  std::string path() const { return path_.string(); }
  std::string bytes() const;

 private:
  std::filesystem::path path_;
};

/// The smallest preset for the architecture.
synth::Spec tiny_spec(synth::Arch arch, ggml_type type = GGML_TYPE_Q8_0);

/// The same in PowerInfer's format.
synth::Spec tiny_powerinfer(synth::Arch arch, ggml_type type);

/// Tokens of ordinary text.
std::vector<int32_t> text_tokens(size_t n);

/// Counts per neuron over `n_tokens` tokens.
double active_fraction(const std::vector<uint32_t>& counts, size_t n_tokens);

/// Share of all activations that the most active 26 % of neurons have.
double hot_share(std::vector<uint32_t> counts);

void expect_near(double actual, double expected, double tolerance);

}  // namespace hotpath::test
