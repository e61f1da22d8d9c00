// The fill-in-the-middle prompt: how much of the text around the cursor it keeps, and in which order. And the prompt that
// is a text.
//
// Every cut around a cursor is made in steps. A cut that followed each keystroke would move the first token of the prompt each time, and
// nothing of the KV cache could be used again.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "llama/fim.h"
#include "llama/vocabulary.h"

namespace hotpath {

/// Which part of the tokens stays: the end of the prefix from `prefix_begin` on, the suffix up to `suffix_end`.
struct PromptCut {
  size_t prefix_begin;
  size_t suffix_end;
};

/// Fits both into the budget. A quarter of it is the suffix's; what one side leaves free goes to the other.
PromptCut cut_prompt(size_t n_prefix, size_t n_suffix, size_t budget);

/// The end of a long prefix and the start of a long suffix, so that tokenising costs no more than the budget is worth.
std::string_view relevant_prefix(std::string_view text, size_t budget);
std::string_view relevant_suffix(std::string_view text, size_t budget);

/// Tokens a prompt has beyond its text.
size_t prompt_overhead(const FimFormat& fim, Token begin);

std::vector<Token> assemble_prompt(const FimFormat& fim, Token begin, std::span<const Token> prefix,
                                   std::span<const Token> suffix);

struct Prompt {
  std::vector<Token> tokens;
  /// Text of the prefix's last token, which is left to the generation: see token_healing.h. Empty without a prefix.
  std::string unfinished;
  /// Tokens that found no room: of a text, at its beginning; around a cursor, far from it, where text too far away to
  /// be tokenised counts for 8 bytes a token.
  size_t cut = 0;
};

/// All of the above: at most `budget` tokens, special ones included.
Prompt build_prompt(const Vocabulary& vocabulary, std::string_view prefix, std::string_view suffix, size_t budget);

/// The text as it is, after the token that begins every prompt of the model. Of a text that is too long, the end.
Prompt build_text_prompt(const Vocabulary& vocabulary, std::string_view text, size_t budget);

}  // namespace hotpath
