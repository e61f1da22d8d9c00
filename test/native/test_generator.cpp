// What a measurement asks of a generation beyond a completion: a prompt as it is, a length, a cold cache, times.
#include <algorithm>
#include <fstream>

#include "bench/direct_llama.h"
#include "starter.h"
#include "synthetic_model.h"
#include "temporary_folder.h"

namespace hotpath::test {

namespace {

const std::string kText = "def is_even(number):\n    \"\"\"Whether a number is even.\"\"\"\n    return";

GenerateParams text_params(const std::string& prompt, size_t max_tokens) {
  GenerateParams params = params_for(prompt, "this suffix is not looked at", max_tokens);
  params.form = PromptForm::text;
  return params;
}

GenerateResult run(Model& model, const GenerateParams& params) {
  auto result = model.generate(params);
  if (!result) throw Failure(result.error().message);
  return std::move(*result);
}

std::vector<Token> llama_tokens(const llama_vocab* vocab, const std::string& text) {
  std::vector<Token> tokens(text.size() + 8);
  const int32_t n = llama_tokenize(vocab, text.data(), static_cast<int32_t>(text.size()), tokens.data(),
                                   static_cast<int32_t>(tokens.size()), true, false);
  if (n < 0) throw Failure("llama_tokenize");
  tokens.resize(static_cast<size_t>(n));
  return tokens;
}

/// llama.cpp alone, greedy, without a look at what the tokens mean.
std::string llama_text(DirectLlama& llama, const std::vector<Token>& prompt, size_t n_tokens) {
  const Vocabulary vocabulary(llama.vocab(), std::nullopt);
  llama.keep(0);
  std::string text;
  Token token = llama.decode(prompt);
  for (size_t n = 1;; ++n) {
    vocabulary.append_bytes(token, text);
    if (n == n_tokens) return text;
    token = llama.decode(std::span(&token, 1));
  }
}

/// The starter model's tokens, but none that marks what is to be filled in.
std::string without_fim(const SyntheticModel& model, const TemporaryFolder& folder) {
  std::string bytes = model.bytes();
  for (size_t at = 0; (at = bytes.find("fim_", at)) != std::string::npos;) bytes.replace(at, 4, "fin_");
  const std::string path = folder.file("plain.gguf");
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

}  // namespace

TEST(generator, goes_on_with_a_text_as_llama_cpp_does) {
  const auto model = load_starter();
  DirectLlama llama(HOTPATH_STARTER_MODEL, 1024, 1, 0);
  for (const std::string& text : {kText, std::string("x"), "import os\n\n" + long_text(300), std::string("<|fim_prefix|>x = 1\n")}) {
    GenerateParams params = text_params(text, 24);
    params.ignore_end = true;
    const std::vector<Token> prompt = llama_tokens(llama.vocab(), text);
    const GenerateResult result = run(*model, params);
    EXPECT_EQ(result.stats.prompt_tokens, prompt.size());
    EXPECT_EQ(result.stats.cut_tokens, 0u);
    EXPECT_EQ(result.text, llama_text(llama, prompt, 24));
  }
}

TEST(generator, shows_the_end_of_a_text_that_is_too_long_and_counts_what_it_leaves_out) {
  const auto model = load_starter();
  DirectLlama llama(HOTPATH_STARTER_MODEL, 1024, 1, 0);
  const std::string text = long_text(3000);
  GenerateParams params = text_params(text, 8);
  params.max_prompt_tokens = 200;
  params.ignore_end = true;
  const std::vector<Token> whole = llama_tokens(llama.vocab(), text);
  const bool has_begin = llama_vocab_get_add_bos(llama.vocab());
  std::vector<Token> shown(whole.end() - (has_begin ? 199 : 200), whole.end());
  if (has_begin) shown.insert(shown.begin(), whole.front());
  const GenerateResult result = run(*model, params);
  EXPECT_EQ(result.stats.prompt_tokens, 200u);
  EXPECT_EQ(result.stats.cut_tokens, whole.size() - 200);
  EXPECT_EQ(result.text, llama_text(llama, shown, 8));
}

TEST(generator, counts_what_it_leaves_out_around_a_cursor) {
  const auto model = load_starter();
  const auto stats_of = [&](const std::string& prefix, const std::string& suffix, size_t max_prompt_tokens) {
    GenerateParams params = text_params(prefix, 4);
    params.form = PromptForm::fim;
    params.suffix = suffix;
    params.max_prompt_tokens = max_prompt_tokens;
    return run(*model, params).stats;
  };
  const std::string half = long_text(3000).substr(0, 350);
  const auto whole = stats_of(half, half, 0);
  const auto cut = stats_of(half, half, 100);
  EXPECT_EQ(whole.cut_tokens, 0u);
  EXPECT(cut.prompt_tokens <= 100u);
  EXPECT_EQ(cut.prompt_tokens + cut.cut_tokens, whole.prompt_tokens);
  // Too long to be tokenised, on either side.
  const std::string far(20'000, 'x');
  EXPECT(stats_of(far, "", 100).cut_tokens >= (far.size() - 800) / 8);
  EXPECT(stats_of("", far, 100).cut_tokens >= (far.size() - 800) / 8);
}

TEST(generator, goes_on_after_the_end_of_the_text_only_when_asked_to) {
  const auto model = load_starter();
  GenerateParams params = params_for("def is_even(number):\n    return number % 2 == ", "\n", 30);
  const GenerateResult ended = run(*model, params);
  EXPECT_EQ(std::string(stop_reason_text(ended.stop_reason)), "end");
  params.ignore_end = true;
  const GenerateResult longer = run(*model, params);
  EXPECT_EQ(std::string(stop_reason_text(longer.stop_reason)), "tokens");
  EXPECT_EQ(longer.stats.generated_tokens, 30u);
  EXPECT(longer.text.starts_with(ended.text));
}

TEST(generator, computes_the_whole_prompt_when_the_cache_must_be_fresh) {
  const auto model = load_starter();
  GenerateParams params = text_params(kText + long_text(200), 8);
  const GenerateResult first = run(*model, params);
  EXPECT_EQ(run(*model, params).stats.reused_tokens, first.stats.prompt_tokens - 1);
  params.fresh_cache = true;
  const GenerateResult fresh = run(*model, params);
  EXPECT_EQ(fresh.stats.reused_tokens, 0u);
  EXPECT_EQ(fresh.text, first.text);
}

TEST(generator, times_every_token_when_asked_to) {
  const auto model = load_starter();
  GenerateParams params = text_params(kText, 40);
  params.ignore_end = true;
  EXPECT(!run(*model, params).stats.token_times_ms);
  params.time_tokens = true;
  const GenerateStats stats = run(*model, params).stats;
  const std::vector<double>& times = *stats.token_times_ms;
  EXPECT_EQ(times.size(), 40u);
  EXPECT(std::is_sorted(times.begin(), times.end()));
  EXPECT(times.front() >= stats.ttft_ms && times.front() < stats.ttft_ms + 1);
  EXPECT(times.back() <= stats.total_ms);
}

TEST(generator, runs_a_model_without_fim_tokens_and_refuses_only_to_fill_in) {
  start_engine();
  const TemporaryFolder folder;
  ModelSpec spec = starter_spec();
  spec.path = without_fim(SyntheticModel(tiny_spec(synth::Arch::llama)), folder);
  const auto model = engine::load(spec);
  EXPECT(model);
  EXPECT(!(*model)->info().metadata.fim);
  EXPECT(!run(**model, text_params(kText, 8)).text.empty());
  EXPECT_EQ(code_of((*model)->generate(params_for("x = ", "", 8))), "model/no-fim");
  EXPECT(!(*model)->tokenize("x")->empty());
}

TEST(generator, refuses_a_prompt_that_no_context_holds) {
  const auto model = load_starter();
  EXPECT_EQ(code_of(model->generate(text_params(std::string(17 * 1024 * 1024, 'x'), 8))), "request/invalid");
}

}  // namespace hotpath::test
