// Text to tokens and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llama.h"
#include "llama/fim.h"

namespace hotpath {

using Token = llama_token;

class Vocabulary {
 public:
  /// The vocabulary belongs to a loaded model and must not outlive it. Without a format it is of no use for filling in.
  Vocabulary(const llama_vocab* vocab, const std::optional<FimFormat>& fim) : vocab_(vocab), fim_(fim.value_or(prefix_only())) {}

  const FimFormat& fim() const { return fim_; }
  /// Token that begins every prompt of this model; kNoToken when it has none.
  Token begin() const;
  int size() const { return llama_vocab_n_tokens(vocab_); }

  /// Special tokens written out in the text stay ordinary text. Callable from any thread.
  std::vector<Token> tokenize(std::string_view text) const;

  /// The bytes of a token; they may begin or end inside a character.
  void append_bytes(Token token, std::string& to) const;

  /// End of text, and every other special token: none of them may appear in a completion.
  bool ends_generation(Token token) const;

 private:
  const llama_vocab* vocab_;
  FimFormat fim_;
};

}  // namespace hotpath
