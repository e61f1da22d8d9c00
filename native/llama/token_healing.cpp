#include "llama/token_healing.h"

#include <algorithm>
#include <cmath>

#include "core/error.h"

namespace hotpath {

namespace {

/// Whether one is the beginning of the other.
bool agree(std::string_view a, std::string_view b) {
  const size_t shorter = std::min(a.size(), b.size());
  return a.substr(0, shorter) == b.substr(0, shorter);
}

}  // namespace

TokenBytes::TokenBytes(const Vocabulary& vocabulary) {
  const int n_tokens = vocabulary.size();
  ends_.reserve(static_cast<size_t>(n_tokens));
  for (Token token = 0; token < n_tokens; ++token) {
    if (!vocabulary.ends_generation(token)) vocabulary.append_bytes(token, bytes_);
    ends_.push_back(static_cast<uint32_t>(bytes_.size()));
  }
}

std::string_view TokenBytes::operator[](size_t token) const {
  const size_t begin = token == 0 ? 0 : ends_[token - 1];
  return std::string_view(bytes_).substr(begin, ends_[token] - begin);
}

bool TokenHealing::constrain(const TokenBytes& tokens, std::span<float> logits) const {
  CHECK(logits.size() == tokens.size());
  const auto agrees = [&](size_t token) { return !tokens[token].empty() && agree(tokens[token], left_); };
  size_t first = 0;
  while (first < logits.size() && !agrees(first)) ++first;
  if (first == logits.size()) return false;
  std::fill_n(logits.begin(), first, -INFINITY);
  for (size_t token = first + 1; token < logits.size(); ++token) {
    if (!agrees(token)) logits[token] = -INFINITY;
  }
  return true;
}

std::string_view TokenHealing::take(std::string_view bytes) {
  const size_t healed = std::min(bytes.size(), left_.size());
  left_.erase(0, healed);
  return bytes.substr(healed);
}

}  // namespace hotpath
