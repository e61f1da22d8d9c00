#include "llama/sequences.h"

#include <algorithm>

namespace hotpath {

size_t common_prefix_length(std::span<const Token> a, std::span<const Token> b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

SequenceTable::Choice SequenceTable::choose(const std::string& key, std::span<const Token> prompt) {
  const size_t index = find(key, prompt);
  Sequence& sequence = sequences_[index];
  sequence.key = key;
  sequence.used_at = ++clock_;
  // The last token is always computed: its logits are what the first new token is sampled from.
  const size_t shared = common_prefix_length(sequence.tokens, prompt);
  return {static_cast<int>(index), std::min(shared, prompt.empty() ? 0 : prompt.size() - 1)};
}

size_t SequenceTable::find(const std::string& key, std::span<const Token> prompt) const {
  size_t longest = 0;
  size_t longest_length = 0;
  size_t oldest = 0;
  for (size_t i = 0; i < sequences_.size(); ++i) {
    const Sequence& sequence = sequences_[i];
    if (sequence.used_at > 0 && sequence.key == key) return i;
    const size_t length = common_prefix_length(sequence.tokens, prompt);
    if (length > longest_length) {
      longest = i;
      longest_length = length;
    }
    const bool is_older = sequence.tokens.empty() != sequences_[oldest].tokens.empty()
                              ? sequence.tokens.empty()
                              : sequence.used_at < sequences_[oldest].used_at;
    if (is_older) oldest = i;
  }
  return longest_length > 0 && longest_length * 2 >= prompt.size() ? longest : oldest;
}

void SequenceTable::append(int index, std::span<const Token> tokens) {
  auto& held = sequences_[static_cast<size_t>(index)].tokens;
  held.insert(held.end(), tokens.begin(), tokens.end());
}

void SequenceTable::truncate(int index, size_t n_tokens) {
  auto& held = sequences_[static_cast<size_t>(index)].tokens;
  held.resize(std::min(held.size(), n_tokens));
}

}  // namespace hotpath
