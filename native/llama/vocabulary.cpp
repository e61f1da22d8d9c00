#include "llama/vocabulary.h"

#include "core/error.h"
#include "core/utf8.h"

namespace hotpath {

Token Vocabulary::begin() const {
  const Token bos = llama_vocab_bos(vocab_);
  return llama_vocab_get_add_bos(vocab_) && bos >= 0 ? bos : kNoToken;
}

std::vector<Token> Vocabulary::tokenize(std::string_view text) const {
  const std::string valid = valid_utf8(text);
  const auto length = static_cast<int32_t>(valid.size());
  std::vector<Token> tokens(valid.size() / 2 + 8);
  int32_t n = llama_tokenize(vocab_, valid.data(), length, tokens.data(), static_cast<int32_t>(tokens.size()), false, false);
  if (n < 0) {
    CHECK(n != INT32_MIN);
    tokens.resize(static_cast<size_t>(-n));
    n = llama_tokenize(vocab_, valid.data(), length, tokens.data(), -n, false, false);
  }
  CHECK(n >= 0);
  tokens.resize(static_cast<size_t>(n));
  return tokens;
}

void Vocabulary::append_bytes(Token token, std::string& to) const {
  char bytes[256];
  int32_t n = llama_token_to_piece(vocab_, token, bytes, sizeof bytes, 0, false);
  if (n >= 0) {
    to.append(bytes, static_cast<size_t>(n));
    return;
  }
  std::string large(static_cast<size_t>(-n), '\0');
  n = llama_token_to_piece(vocab_, token, large.data(), -n, 0, false);
  if (n > 0) to.append(large, 0, static_cast<size_t>(n));
}

bool Vocabulary::ends_generation(Token token) const {
  return llama_vocab_is_eog(vocab_, token) || llama_vocab_is_control(vocab_, token) || token == fim_.prefix ||
         token == fim_.suffix || token == fim_.middle;
}

}  // namespace hotpath
