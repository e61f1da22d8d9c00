#include "llama/prompt.h"

#include <algorithm>

#include "core/error.h"

namespace hotpath {

namespace {

// Source code has 3 to 4 bytes per token in the vocabularies of code models; twice that leaves the decision to the cut
// by tokens in all but extreme texts.
constexpr size_t kBytesPerToken = 8;

size_t round_up(size_t n, size_t step) { return (n + step - 1) / step * step; }

bool is_inside_character(std::string_view text, size_t i) {
  return i < text.size() && (static_cast<unsigned char>(text[i]) & 0xC0) == 0x80;
}

}  // namespace

PromptCut cut_prompt(size_t n_prefix, size_t n_suffix, size_t budget) {
  if (n_prefix + n_suffix <= budget) return {0, n_suffix};
  const size_t suffix_share = std::min(n_suffix, budget / 4);
  const size_t prefix_share = budget - suffix_share;
  if (n_prefix <= prefix_share) {
    // The prefix grows with every keystroke: it is given room in steps, so that the end of the suffix stays in place.
    const size_t room = std::min(prefix_share, round_up(n_prefix, std::max<size_t>(1, budget / 16)));
    return {0, std::min(n_suffix, budget - room)};
  }
  const size_t step = std::max<size_t>(1, prefix_share / 4);
  return {std::min(n_prefix, round_up(n_prefix - prefix_share, step)), suffix_share};
}

std::string_view relevant_prefix(std::string_view text, size_t budget) {
  const size_t most = budget * kBytesPerToken;
  if (text.size() <= most) return text;
  size_t begin = std::min(text.size(), round_up(text.size() - most, std::max<size_t>(1, most / 4)));
  while (is_inside_character(text, begin)) ++begin;
  return text.substr(begin);
}

std::string_view relevant_suffix(std::string_view text, size_t budget) {
  size_t end = std::min(text.size(), budget * kBytesPerToken);
  while (end > 0 && is_inside_character(text, end)) --end;
  return text.substr(0, end);
}

size_t prompt_overhead(const FimFormat& fim, Token begin) {
  return 2 + (fim.middle == kNoToken ? 0 : 1) + (begin == kNoToken ? 0 : 1);
}

std::vector<Token> assemble_prompt(const FimFormat& fim, Token begin, std::span<const Token> prefix,
                                   std::span<const Token> suffix) {
  std::vector<Token> prompt;
  prompt.reserve(prefix.size() + suffix.size() + prompt_overhead(fim, begin));
  const auto mark = [&](Token token) {
    if (token != kNoToken) prompt.push_back(token);
  };
  const auto part = [&](std::span<const Token> tokens) { prompt.insert(prompt.end(), tokens.begin(), tokens.end()); };
  mark(begin);
  switch (fim.order) {
    case FimOrder::psm:
      mark(fim.prefix), part(prefix), mark(fim.suffix), part(suffix), mark(fim.middle);
      break;
    case FimOrder::spm:
      mark(fim.suffix), part(suffix), mark(fim.prefix), part(prefix), mark(fim.middle);
      break;
    case FimOrder::spm2:
      mark(fim.prefix), mark(fim.suffix), part(suffix), mark(fim.middle), part(prefix);
      break;
    case FimOrder::prefix:
      part(prefix);
      break;
  }
  return prompt;
}

Prompt build_prompt(const Vocabulary& vocabulary, std::string_view prefix, std::string_view suffix, size_t budget) {
  const size_t overhead = prompt_overhead(vocabulary.fim(), vocabulary.begin());
  CHECK(budget >= overhead);
  const size_t text_budget = budget - overhead;
  Prompt prompt;
  if (vocabulary.fim().order == FimOrder::prefix) suffix = {};
  const std::string_view near_prefix = relevant_prefix(prefix, text_budget);
  const std::string_view near_suffix = relevant_suffix(suffix, text_budget);
  std::vector<Token> before = vocabulary.tokenize(near_prefix);
  if (!before.empty()) {
    vocabulary.append_bytes(before.back(), prompt.unfinished);
    before.pop_back();
  }
  const std::vector<Token> after = vocabulary.tokenize(near_suffix);
  const PromptCut cut = cut_prompt(before.size(), after.size(), text_budget);
  prompt.tokens = assemble_prompt(vocabulary.fim(), vocabulary.begin(), std::span(before).subspan(cut.prefix_begin),
                                  std::span(after).first(cut.suffix_end));
  const size_t n_far_bytes = prefix.size() - near_prefix.size() + suffix.size() - near_suffix.size();
  const size_t n_far_tokens = round_up(n_far_bytes, kBytesPerToken) / kBytesPerToken;
  prompt.cut = cut.prefix_begin + (after.size() - cut.suffix_end) + n_far_tokens;
  return prompt;
}

Prompt build_text_prompt(const Vocabulary& vocabulary, std::string_view text, size_t budget) {
  const std::vector<Token> tokens = vocabulary.tokenize(text);
  Prompt prompt;
  if (vocabulary.begin() != kNoToken) prompt.tokens.push_back(vocabulary.begin());
  CHECK(budget > prompt.tokens.size());
  const size_t room = budget - prompt.tokens.size();
  prompt.cut = tokens.size() > room ? tokens.size() - room : 0;
  prompt.tokens.insert(prompt.tokens.end(), tokens.begin() + static_cast<std::ptrdiff_t>(prompt.cut), tokens.end());
  return prompt;
}

}  // namespace hotpath
