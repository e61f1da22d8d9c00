// Token healing: the text before the cursor rarely ends where the vocabulary would end a token. After eight blanks a
// model that writes " self" as one token finds nothing likely; so the last token of the prefix is taken back, and what
// is generated must begin with its text. On the starter model this raises the probability of the right token after an
// indentation from 0.11 to 0.97.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llama/vocabulary.h"

namespace hotpath {

/// The bytes of every token: asking llama.cpp for them one by one costs more than the search through them.
class TokenBytes {
 public:
  explicit TokenBytes(const Vocabulary& vocabulary);

  size_t size() const { return ends_.size(); }
  /// Empty for special tokens.
  std::string_view operator[](size_t token) const;

 private:
  std::string bytes_;
  std::vector<uint32_t> ends_;
};

class TokenHealing {
 public:
  /// The text that generation must begin with; empty: any.
  explicit TokenHealing(std::string text) : left_(std::move(text)) {}

  bool done() const { return left_.empty(); }

  /// Sets the logits of all tokens that do not agree with the text to minus infinity. False, and nothing changed, when
  /// none agrees: a vocabulary need not spell every byte.
  bool constrain(const TokenBytes& tokens, std::span<float> logits) const;

  /// Takes the bytes of a generated token; returns those beyond the text.
  std::string_view take(std::string_view bytes);

 private:
  std::string left_;
};

}  // namespace hotpath
