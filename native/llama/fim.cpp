#include "llama/fim.h"

#include <unordered_map>

namespace hotpath {

namespace {

struct Family {
  const char* name;
  FimOrder order;
  const char* prefix;
  const char* suffix;
  const char* middle;         // null: the text before the cursor is followed by nothing
  const char* pre_tokenizer;  // null: any; tells apart families that share their token texts
};

// First match wins. Orders as the authors' model cards prescribe them.
constexpr Family kFamilies[] = {
    {"Mellum", FimOrder::spm, "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "mellum"},
    {"Mellum", FimOrder::spm, "<fim_prefix>", "<fim_suffix>", "<fim_middle>", "mellum2"},
    {"StarCoder", FimOrder::psm, "<fim_prefix>", "<fim_suffix>", "<fim_middle>", nullptr},
    {"SantaCoder", FimOrder::psm, "<fim-prefix>", "<fim-suffix>", "<fim-middle>", nullptr},
    {"Qwen", FimOrder::psm, "<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", nullptr},
    {"DeepSeek", FimOrder::psm, "<\uff5cfim\u2581begin\uff5c>", "<\uff5cfim\u2581hole\uff5c>",
     "<\uff5cfim\u2581end\uff5c>", nullptr},
    {"Code Llama", FimOrder::psm, "\u2581<PRE>", "\u2581<SUF>", "\u2581<MID>", nullptr},
    {"Code Llama", FimOrder::psm, "<PRE>", "<SUF>", "<MID>", nullptr},
    {"Seed-Coder", FimOrder::spm, "<[fim-prefix]>", "<[fim-suffix]>", "<[fim-middle]>", nullptr},
    {"Codestral", FimOrder::spm, "[PREFIX]", "[SUFFIX]", nullptr, nullptr},
    {"GLM", FimOrder::psm, "<|code_prefix|>", "<|code_suffix|>", "<|code_middle|>", nullptr},
    {"Falcon", FimOrder::psm, "<|prefix|>", "<|suffix|>", "<|middle|>", nullptr},
};

struct TokenTexts {
  std::unordered_map<std::string, int32_t> ids;  // of the texts in kFamilies only
  std::string prefix;                            // text of the token that metadata names as prefix
  uint64_t count = 0;
};

Result<TokenTexts> read_token_texts(const ByteSource& source, const GgufArray& tokens, std::optional<uint64_t> prefix_id) {
  TokenTexts texts;
  for (const Family& family : kFamilies) {
    for (const char* text : {family.prefix, family.suffix, family.middle}) {
      if (text) texts.ids.emplace(text, kNoToken);
    }
  }
  auto read = for_each_string(source, tokens, [&](uint64_t id, const std::string& text) {
    if (const auto found = texts.ids.find(text); found != texts.ids.end()) found->second = static_cast<int32_t>(id);
    if (prefix_id == id) texts.prefix = text;
  });
  if (!read) return read.error();
  texts.count = tokens.count;
  return texts;
}

std::optional<uint64_t> token_key(const GgufHeader& header, const char* key, const char* deprecated_key) {
  const auto id = header.count(std::string("tokenizer.ggml.") + key);
  return id ? id : header.count(std::string("tokenizer.ggml.") + deprecated_key);
}

const Family* family_of(const TokenTexts& texts, const std::string& pre_tokenizer) {
  for (const Family& family : kFamilies) {
    if (family.pre_tokenizer && pre_tokenizer != family.pre_tokenizer) continue;
    if (!texts.prefix.empty()) {
      if (texts.prefix == family.prefix) return &family;
      continue;
    }
    const bool has_middle = !family.middle || texts.ids.at(family.middle) != kNoToken;
    if (texts.ids.at(family.prefix) != kNoToken && texts.ids.at(family.suffix) != kNoToken && has_middle) return &family;
  }
  return nullptr;
}

std::optional<FimOrder> order_of(const std::string& text) {
  for (const FimOrder order : {FimOrder::psm, FimOrder::spm, FimOrder::spm2}) {
    if (text == fim_order_text(order)) return order;
  }
  return std::nullopt;
}

}  // namespace

const char* fim_order_text(FimOrder order) {
  switch (order) {
    case FimOrder::psm: return "psm";
    case FimOrder::spm: return "spm";
    case FimOrder::spm2: return "spm2";
    default: return "prefix";
  }
}

FimFormat prefix_only() { return {FimOrder::prefix, "no fill-in-the-middle tokens", kNoToken, kNoToken, kNoToken}; }

Result<std::optional<FimFormat>> find_fim_format(const ByteSource& source, const GgufHeader& header) {
  const GgufArray* tokens = header.array("tokenizer.ggml.tokens");
  if (!tokens || tokens->type != GGUF_TYPE_STRING) return std::optional<FimFormat>();
  const auto prefix_id = token_key(header, "fim_pre_token_id", "prefix_token_id");
  const auto suffix_id = token_key(header, "fim_suf_token_id", "suffix_token_id");
  const auto middle_id = token_key(header, "fim_mid_token_id", "middle_token_id");
  auto texts = read_token_texts(source, *tokens, prefix_id);
  if (!texts) return texts.error();

  const std::string* pre_tokenizer = header.text("tokenizer.ggml.pre");
  const Family* family = family_of(*texts, pre_tokenizer ? *pre_tokenizer : "");
  const auto resolve = [&](std::optional<uint64_t> id, const char* text) {
    if (id && *id < texts->count) return static_cast<int32_t>(*id);
    return text ? texts->ids.at(text) : kNoToken;
  };
  FimFormat format = {FimOrder::psm, "unknown family, assumed psm", kNoToken, kNoToken, kNoToken};
  if (family) {
    format.order = family->order;
    format.source = family->name;
  }
  format.prefix = resolve(prefix_id, family ? family->prefix : nullptr);
  format.suffix = resolve(suffix_id, family ? family->suffix : nullptr);
  const bool without_middle = family && !family->middle;
  if (!without_middle) format.middle = resolve(middle_id, family ? family->middle : nullptr);
  if (format.prefix == kNoToken || format.suffix == kNoToken) return std::optional<FimFormat>();
  if (format.middle == kNoToken && !without_middle) return std::optional<FimFormat>();

  if (const std::string* stated = header.text("hotpath.fim_order")) {
    const auto order = order_of(*stated);
    if (!order) {
      return Error{ErrorCode::model_corrupt, source.name + ": hotpath.fim_order is \"" + *stated + "\", not psm, spm or spm2",
                   {{"path", source.name}}};
    }
    format.order = *order;
    format.source = "metadata";
  }
  return std::optional(format);
}

}  // namespace hotpath
