#include "llama/fim.h"

#include "gguf_builder.h"
#include "llama/model_file.h"
#include "test.h"

namespace hotpath::test {

namespace {

/// "order source prefix suffix middle" of a model with these tokens and keys, "none", or the code of the error.
std::string format_of(const GgufBuilder& builder) {
  const std::string bytes = builder.bytes();
  const auto model = read_model_source(memory_source(bytes));
  if (!model) return error_code_text(model.error().code);
  const auto& fim = model->metadata.fim;
  if (!fim) return "none";
  return std::string(fim_order_text(fim->order)) + " " + fim->source + " " + std::to_string(fim->prefix) + " " +
         std::to_string(fim->suffix) + " " + std::to_string(fim->middle);
}

const std::vector<std::string> kQwen = {"a", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"};
const std::vector<std::string> kStarCoder = {"a", "<fim_prefix>", "<fim_middle>", "<fim_suffix>"};

}  // namespace

TEST(fim, finds_tokens_and_order_by_family) {
  EXPECT_EQ(format_of(GgufBuilder().model(kQwen)), "psm Qwen 1 3 2");
  EXPECT_EQ(format_of(GgufBuilder().model(kStarCoder)), "psm StarCoder 1 3 2");
  EXPECT_EQ(format_of(GgufBuilder().model({"<[fim-suffix]>", "<[fim-prefix]>", "<[fim-middle]>"})), "spm Seed-Coder 1 0 2");
  EXPECT_EQ(format_of(GgufBuilder().model({"\u2581<PRE>", "\u2581<MID>", "\u2581<SUF>"})), "psm Code Llama 0 2 1");
}

TEST(fim, knows_that_codestral_has_no_middle_token) {
  EXPECT_EQ(format_of(GgufBuilder().model({"[SUFFIX]", "[PREFIX]", "[MIDDLE]"})), "spm Codestral 1 0 -1");
}

TEST(fim, tells_families_of_equal_tokens_apart_by_their_tokenizer) {
  EXPECT_EQ(format_of(GgufBuilder().model(kStarCoder).text("tokenizer.ggml.pre", "mellum")), "spm Mellum 1 3 2");
}

TEST(fim, prefers_the_ids_of_the_metadata) {
  EXPECT_EQ(format_of(GgufBuilder()
                          .model({"p", "m", "s"})
                          .u32("tokenizer.ggml.fim_pre_token_id", 0)
                          .u32("tokenizer.ggml.fim_suf_token_id", 2)
                          .u32("tokenizer.ggml.fim_mid_token_id", 1)),
            "psm unknown family, assumed psm 0 2 1");
}

TEST(fim, prefers_the_order_of_the_metadata) {
  EXPECT_EQ(format_of(GgufBuilder().model(kQwen).text("hotpath.fim_order", "spm2")), "spm2 metadata 1 3 2");
  EXPECT_EQ(format_of(GgufBuilder().model(kQwen).text("hotpath.fim_order", "mps")), "model/corrupt");
}

TEST(fim, finds_none_when_a_token_is_missing) {
  EXPECT_EQ(format_of(GgufBuilder().model({"a", "b"})), "none");
  EXPECT_EQ(format_of(GgufBuilder().model({"a", "<|fim_prefix|>", "<|fim_suffix|>"})), "none");
}

TEST(fim, ignores_ids_outside_the_vocabulary) {
  EXPECT_EQ(format_of(GgufBuilder().model({"p", "s"}).u32("tokenizer.ggml.fim_pre_token_id", 9)), "none");
}

}  // namespace hotpath::test
