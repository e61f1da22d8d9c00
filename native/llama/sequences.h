// Which KV sequence a prompt continues. Bookkeeping only; the generator keeps it equal to llama.cpp's memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "llama/vocabulary.h"

namespace hotpath {

size_t common_prefix_length(std::span<const Token> a, std::span<const Token> b);

class SequenceTable {
 public:
  explicit SequenceTable(size_t n_sequences) : sequences_(n_sequences) {}

  struct Choice {
    int index;
    size_t reuse;  // tokens at the front of the prompt that need no computing; always less than the prompt
  };

  /// In this order: the sequence of the same key; the one sharing most, if that is at least half of the prompt; an empty
  /// one; the one used longest ago. The chosen one takes the key and counts as used.
  Choice choose(const std::string& key, std::span<const Token> prompt);

  const std::vector<Token>& tokens(int index) const { return sequences_[static_cast<size_t>(index)].tokens; }
  void append(int index, std::span<const Token> tokens);
  void truncate(int index, size_t n_tokens);
  size_t size() const { return sequences_.size(); }

 private:
  struct Sequence {
    std::string key;
    std::vector<Token> tokens;
    uint64_t used_at = 0;  // 0: never
  };

  size_t find(const std::string& key, std::span<const Token> prompt) const;

  std::vector<Sequence> sequences_;
  uint64_t clock_ = 0;
};

}  // namespace hotpath
