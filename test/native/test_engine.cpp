#include "engine/engine.h"

#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>

#include "bench/direct_llama.h"
#include "llama/device_memory.h"
#include "llama/prompt.h"
#include "starter.h"

namespace hotpath::test {

namespace {

using Clock = std::chrono::steady_clock;

double ms_since(Clock::time_point start) { return std::chrono::duration<double, std::milli>(Clock::now() - start).count(); }

const std::string kPrefix = "def count_words(lines):\n    counts = {}\n    for line in lines:\n        for word in line.split():\n            ";
const std::string kSuffix = "\n    return counts\n";

Result<GenerateResult> generate(const std::shared_ptr<Model>& model, const GenerateParams& params) {
  return model->generate(params);
}

/// Starts a generation and gives its result as a future.
std::future<Result<GenerateResult>> start(Model& model, const GenerateParams& params, const CancelFlag& cancel,
                                          OnText on_text = {}) {
  auto promise = std::make_shared<std::promise<Result<GenerateResult>>>();
  auto future = promise->get_future();
  model.generate(params, cancel, std::move(on_text),
                 [promise](Result<GenerateResult> result) { promise->set_value(std::move(result)); });
  return future;
}

/// What llama.cpp makes of the same token ids, one greedy token after the other, keeping what the last prompt shares
/// with this one: the arithmetic depends a little on how many tokens are computed at once.
class DirectCompletion {
 public:
  explicit DirectCompletion(const FimFormat& fim) : direct_(HOTPATH_STARTER_MODEL, 1024, 1, 0), vocabulary_(direct_.vocab(), fim) {}

  std::string complete(const std::string& prefix, const std::string& suffix, size_t max_tokens) {
    auto [prompt, unfinished, cut] = build_prompt(vocabulary_, prefix, suffix, 1024 - max_tokens);
    const size_t kept = std::min(common_prefix_length(held_, prompt), prompt.size() - 1);
    direct_.keep(kept);
    held_ = prompt;
    std::string text;
    Token token = decode(std::span(prompt).subspan(kept), unfinished, text);
    for (size_t n = 1; !vocabulary_.ends_generation(token); ++n) {
      vocabulary_.append_bytes(token, text);
      if (n == max_tokens) break;
      held_.push_back(token);
      token = decode(std::span(&token, 1), unfinished, text);
    }
    return text.substr(std::min(text.size(), unfinished.size()));
  }

 private:
  /// The most probable token with which the text so far can still begin with the unfinished one.
  Token decode(std::span<const Token> tokens, const std::string& unfinished, const std::string& text) {
    if (text.size() >= unfinished.size()) return direct_.decode(tokens);
    return direct_.decode(tokens, [&](Token token) {
      std::string longer = text;
      vocabulary_.append_bytes(token, longer);
      const size_t known = std::min(longer.size(), unfinished.size());
      return longer.size() > text.size() && longer.compare(0, known, unfinished, 0, known) == 0;
    });
  }

  DirectLlama direct_;
  Vocabulary vocabulary_;
  std::vector<Token> held_;
};

std::filesystem::path temporary_file(const std::string& name) {
  return std::filesystem::temp_directory_path() / ("hotpath-test-" + std::to_string(::time(nullptr)) + "-" + name);
}

}  // namespace

TEST(engine, describes_the_starter_model) {
  start_engine();
  const auto metadata = engine::inspect(HOTPATH_STARTER_MODEL);
  EXPECT(metadata);
  EXPECT_EQ(metadata->name, "starter-nano");
  EXPECT_EQ(metadata->architecture, "arcee");
  EXPECT_EQ(metadata->quantization, "Q8_0");
  EXPECT_EQ(metadata->layer_count, 4u);
  EXPECT_EQ(metadata->vocabulary_size, 8192u);
  EXPECT_EQ(metadata->parameter_count, 4983040u);
  EXPECT_EQ(std::string(fim_order_text(metadata->fim->order)), "spm2");
  EXPECT_EQ(metadata->fim->source, "metadata");
  EXPECT_EQ(metadata->max_lines.value(), 1u);
}

TEST(engine, says_where_a_loaded_model_runs) {
  const auto model = load_starter();
  const LoadedInfo& info = model->info();
  EXPECT_EQ(info.context_length, 1024u);
  EXPECT_EQ(info.sequence_count, 4u);
  EXPECT_EQ(info.threads, 1);
  EXPECT_EQ(info.devices.size(), 1u);
  EXPECT_EQ(info.devices[0].name, "CPU");
  EXPECT_EQ(info.devices[0].layers, 4u);
  EXPECT_EQ(info.kv_bytes, 8388608u);
  EXPECT_EQ(info.fallback, "");
}

TEST(engine, reports_progress_that_rises_to_one) {
  start_engine();
  std::vector<float> fractions;
  EXPECT(engine::load(starter_spec(), [&](float fraction) { fractions.push_back(fraction); }));
  EXPECT(fractions.size() > 2);
  EXPECT(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_EQ(fractions.back(), 1.0f);
  // Clearing the KV caches, which tells nothing meanwhile, is part of it.
  EXPECT(fractions[fractions.size() - 2] < 1.0f);
}

TEST(engine, equals_llama_cpp_token_by_token_when_greedy) {
  const auto model = load_starter();
  const FimFormat& fim = *model->info().metadata.fim;
  size_t n_tokens = 0;
  for (const auto& [prefix, suffix] : std::vector<std::pair<std::string, std::string>>{
           {kPrefix, kSuffix}, {"import os\n\ndef read(path):\n    ", ""}, {"", "\nprint(x)\n"}, {long_text(300) + "value = ", "\n"}}) {
    const auto result = generate(model, params_for(prefix, suffix, 60, prefix));
    EXPECT(result);
    EXPECT_EQ(result->text, DirectCompletion(fim).complete(prefix, suffix, 60));
    n_tokens += result->stats.generated_tokens;
  }
  EXPECT(n_tokens > 60);
}

TEST(engine, streams_exactly_the_text_it_returns) {
  const auto model = load_starter();
  std::string streamed;
  const auto result = model->generate(params_for("x = ", "", 50), {}, [&](const std::string& text) { streamed += text; });
  EXPECT(result);
  EXPECT(!streamed.empty());
  EXPECT_EQ(streamed, result->text);
}

TEST(engine, equals_llama_cpp_when_it_reuses_a_prefix) {
  const auto model = load_starter();
  DirectCompletion direct(*model->info().metadata.fim);
  std::string prefix = long_text(200) + "def total(values):\n    result = 0\n    for value in values:\n        ";
  size_t reused = 0;
  for (const char typed : std::string("result += value\n    ret")) {
    prefix += typed;
    const auto result = generate(model, params_for(prefix, kSuffix, 20));
    EXPECT(result);
    EXPECT_EQ(result->text, direct.complete(prefix, kSuffix, 20));
    reused += result->stats.reused_tokens;
  }
  EXPECT(reused > 2000);
}

TEST(engine, gives_the_same_text_with_and_without_a_reused_prefix) {
  const auto model = load_starter();
  // Where the model is sure of itself: between near equals the rounding of another batch size decides.
  std::string prefix = long_text(200) + "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        ";
  for (const char typed : std::string("self.y ")) {
    prefix += typed;
    const auto reusing = generate(model, params_for(prefix, kSuffix, 4, "reusing"));
    const auto fresh = generate(load_starter(), params_for(prefix, kSuffix, 4));
    EXPECT(reusing && fresh);
    EXPECT_EQ(reusing->text, fresh->text);
    EXPECT_EQ(fresh->stats.reused_tokens, 0u);
  }
}

TEST(engine, computes_only_what_was_typed) {
  const auto model = load_starter();
  const std::string prefix = long_text(300) + "result";
  const auto first = generate(model, params_for(prefix, kSuffix, 4));
  const auto second = generate(model, params_for(prefix + " = ", kSuffix, 4));
  EXPECT(first && second);
  EXPECT(first->stats.prompt_tokens > 200);
  EXPECT(second->stats.prompt_tokens - second->stats.reused_tokens <= 3);
  const auto repeated = generate(model, params_for(prefix + " = ", kSuffix, 4));
  EXPECT_EQ(repeated->stats.prompt_tokens - repeated->stats.reused_tokens, 1u);
  EXPECT_EQ(repeated->text, second->text);
}

TEST(engine, keeps_most_of_a_prompt_over_the_budget_while_the_user_types) {
  const auto model = load_starter();
  std::string prefix = long_text(3000);
  size_t computed = 0;
  size_t prompts = 0;
  for (int i = 0; i < 40; ++i) {
    prefix += "x = y\n";
    const auto result = generate(model, params_for(prefix, long_text(3000), 2));
    EXPECT(result);
    EXPECT(result->stats.prompt_tokens <= 1022);
    computed += result->stats.prompt_tokens - result->stats.reused_tokens;
    prompts += result->stats.prompt_tokens;
  }
  EXPECT(computed * 5 < prompts);
}

TEST(engine, takes_the_memory_for_documents_that_it_tells) {
  start_engine();
  for (const uint32_t n_sequences : {1u, 3u, 4u}) {
    ModelSpec spec = starter_spec();
    spec.n_sequences = n_sequences;
    BufferLog taken;
    set_log_sink([&](LogLevel, const std::string& line) { taken.add_line(line); });
    const auto model = engine::load(spec);
    set_log_sink({});
    EXPECT(model);
    const LoadedInfo& info = (*model)->info();
    EXPECT_EQ(info.sequence_count, n_sequences);
    EXPECT_EQ(info.context_length, 1024u);
    EXPECT_EQ(info.kv_bytes, 2097152u * n_sequences);
    EXPECT_EQ(taken.on("CPU").kv_bytes, info.kv_bytes);
  }
}

TEST(engine, gives_the_same_texts_in_turns_whether_it_keeps_one_document_or_four) {
  ModelSpec spec = starter_spec();
  spec.n_sequences = 1;
  const auto one = engine::load(spec);
  EXPECT(one);
  const auto four = load_starter();
  // Where the model is sure of itself: between near equals the rounding of another batch size decides.
  std::string prefixes[] = {"# A point.\n" + long_text(200) + "class Point:\n    def __init__(self, x, y):\n        self.x = x\n        ",
                            "import math\n" + long_text(120) + "class Size:\n    def __init__(self, width, height):\n        self.width = width\n        "};
  const std::string typed[] = {"self.y ", "self.he"};
  size_t reused_by_one = 0;
  size_t reused_by_four = 0;
  for (size_t i = 0; i < typed[0].size(); ++i) {
    for (const size_t document : {size_t{0}, size_t{1}}) {
      prefixes[document] += typed[document][i];
      const auto params = params_for(prefixes[document], kSuffix, 4, std::to_string(document));
      const auto by_one = (*one)->generate(params);
      const auto by_four = four->generate(params);
      EXPECT(by_one && by_four);
      EXPECT_EQ(by_one->text, by_four->text);
      reused_by_one += by_one->stats.reused_tokens;
      reused_by_four += by_four->stats.reused_tokens;
    }
  }
  EXPECT(reused_by_one * 2 < reused_by_four);
}

TEST(engine, evicts_the_document_used_longest_ago) {
  const auto model = load_starter();
  const auto complete = [&](int document) {
    const std::string text = "# document " + std::string(static_cast<size_t>(document * 7 + 1), static_cast<char>('a' + document)) + "\n";
    return *generate(model, params_for(text + long_text(100), "", 2, std::to_string(document)));
  };
  for (int document = 0; document < 5; ++document) EXPECT_EQ(complete(document).stats.reused_tokens < 10, true);
  for (int document = 4; document > 0; --document) {
    const auto again = complete(document);
    EXPECT_EQ(again.stats.reused_tokens, again.stats.prompt_tokens - 1);
  }
  EXPECT(complete(0).stats.reused_tokens < 10);
}

TEST(engine, is_repeatable_by_its_seed_when_sampling) {
  const auto model = load_starter();
  const auto text_of = [&](uint32_t seed) {
    GenerateParams params = params_for("x = ", "", 30);
    params.temperature = 1;
    params.seed = seed;
    return generate(model, params)->text;
  };
  text_of(7);  // from here on, every prompt is computed the same way: all reused but its last token
  EXPECT_EQ(text_of(7), text_of(7));
  EXPECT(text_of(7) != text_of(8));
}

TEST(engine, says_why_it_stopped) {
  const auto model = load_starter();
  GenerateParams params = params_for("x = ", "", 8);
  EXPECT_EQ(std::string(stop_reason_text(generate(model, params)->stop_reason)), "tokens");
  EXPECT_EQ(generate(model, params)->stats.generated_tokens, 8u);
  params.max_lines = 1;
  params.max_tokens = 100;
  const auto line = generate(model, params);
  EXPECT_EQ(std::string(stop_reason_text(line->stop_reason)), "lines");
  EXPECT(line->text.find('\n') == std::string::npos);
  params.stop = {line->text.substr(line->text.size() / 2)};
  const auto stopped = generate(model, params);
  EXPECT_EQ(std::string(stop_reason_text(stopped->stop_reason)), "stop");
  EXPECT_EQ(stopped->text + params.stop[0], line->text);
  const auto ended = generate(model, params_for("def is_even(number):\n    return number % 2 == ", "\n", 30));
  EXPECT_EQ(std::string(stop_reason_text(ended->stop_reason)), "end");
}

TEST(engine, stops_at_its_time_limit_with_what_it_has) {
  const auto model = load_starter();
  GenerateParams params = params_for("x = ", "", 1000);
  params.time_limit_ms = 30;
  const auto result = generate(model, params);
  EXPECT(result);
  EXPECT_EQ(std::string(stop_reason_text(result->stop_reason)), "time");
  EXPECT(!result->text.empty());
  params.prefix = long_text(3000);
  params.max_tokens = 10;
  params.time_limit_ms = 5;
  const auto in_prompt = generate(model, params);
  EXPECT_EQ(std::string(stop_reason_text(in_prompt->stop_reason)), "time");
  EXPECT_EQ(in_prompt->text, "");
}

TEST(engine, cancels_inside_a_long_prompt_and_works_on) {
  const auto model = load_starter();
  const std::string expected = generate(load_starter(), params_for(kPrefix, kSuffix + "x", 20))->text;
  for (const int after_ms : {1, 5, 15, 40}) {
    const CancelFlag cancel;
    auto result = start(*model, params_for(long_text(3000), long_text(3000), 200), cancel);
    std::this_thread::sleep_for(std::chrono::milliseconds(after_ms));
    const auto cancelled_at = Clock::now();
    cancel.raise();
    EXPECT_EQ(code_of(result.get()), "request/cancelled");
    EXPECT(ms_since(cancelled_at) < 500);
    // The cache must not believe in tokens that were never computed.
    EXPECT_EQ(generate(model, params_for(kPrefix, kSuffix + "x", 20))->text, expected);
  }
}

TEST(engine, cancels_between_tokens) {
  const auto model = load_starter();
  const CancelFlag cancel;
  size_t chunks = 0;
  const auto result = model->generate(params_for("x = ", "", 900), cancel, [&](const std::string&) {
    if (++chunks == 5) cancel.raise();
  });
  EXPECT_EQ(code_of(result), "request/cancelled");
  EXPECT_EQ(chunks, 5u);
}

TEST(engine, does_nothing_for_a_request_cancelled_before_its_turn) {
  const auto model = load_starter();
  const CancelFlag cancel;
  cancel.raise();
  EXPECT_EQ(code_of(model->generate(params_for("x = ", "", 10), cancel)), "request/cancelled");
}

TEST(engine, runs_requests_in_the_order_of_the_calls) {
  const auto model = load_starter();
  std::vector<int> order;
  std::vector<std::future<Result<GenerateResult>>> results;
  for (int i = 0; i < 8; ++i) {
    auto done = std::make_shared<std::promise<Result<GenerateResult>>>();
    results.push_back(done->get_future());
    model->generate(params_for("x" + std::to_string(i) + " = ", "", 10), {}, {}, [&order, i, done](auto result) {
      order.push_back(i);
      done->set_value(std::move(result));
    });
  }
  for (auto& result : results) EXPECT(result.get());
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7}));
}

TEST(engine, serves_callers_on_several_threads) {
  const auto model = load_starter();
  const std::string expected = generate(model, params_for(kPrefix + "if", kSuffix, 10))->text;
  std::vector<std::thread> callers;
  std::atomic<int> equal = 0;
  for (int caller = 0; caller < 6; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 5; ++i) {
        const auto result = model->generate(params_for(kPrefix + "if", kSuffix, 10, std::to_string(caller)));
        if (result && result->text == expected && model->tokenize("x = 1")) ++equal;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(equal.load(), 30);
}

TEST(engine, ends_running_and_waiting_requests_when_unloaded) {
  const auto model = load_starter();
  auto running = start(*model, params_for("x = ", "", 1000), {});
  auto waiting = start(*model, params_for("y = ", "", 1000), {});
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const auto unloaded_at = Clock::now();
  model->unload();
  EXPECT(ms_since(unloaded_at) < 500);
  EXPECT_EQ(code_of(running.get()), "model/unloaded");
  EXPECT_EQ(code_of(waiting.get()), "model/unloaded");
}

TEST(engine, refuses_work_after_unload_and_unloads_twice) {
  const auto model = load_starter();
  model->unload();
  model->unload();
  EXPECT_EQ(code_of(model->generate(params_for("x = ", "", 10))), "model/unloaded");
  EXPECT_EQ(code_of(model->tokenize("x")), "model/unloaded");
}

TEST(engine, unloads_from_several_threads_at_once) {
  const auto model = load_starter();
  auto running = start(*model, params_for(long_text(3000), "", 500), {});
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { model->unload(); });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(code_of(running.get()), "model/unloaded");
}

TEST(engine, cancels_inside_loading) {
  start_engine();
  for (const hotcold::Mode mode : {hotcold::Mode::dense, hotcold::Mode::exact}) {
    for (const float at : {0.0f, 0.3f, 0.9f}) {
      ModelSpec spec = starter_spec();
      spec.mode = mode;
      const CancelFlag cancel;
      const auto model = engine::load(spec, [&](float fraction) {
        if (fraction >= at) cancel.raise();
      }, cancel);
      EXPECT_EQ(code_of(model), "request/cancelled");
    }
  }
}

TEST(engine, answers_for_empty_prefix_and_suffix) {
  const auto model = load_starter();
  const auto result = generate(model, params_for("", "", 5));
  EXPECT(result);
  EXPECT_EQ(result->stats.prompt_tokens, 3u);
}

TEST(engine, answers_for_a_huge_document) {
  const auto model = load_starter();
  std::string huge;
  while (huge.size() < 20 * 1000 * 1000) huge += "some_name = other_name\n";
  const auto started = Clock::now();
  const auto result = generate(model, params_for(huge, huge, 5));
  EXPECT(result);
  EXPECT(result->stats.prompt_tokens <= 1019);
  EXPECT(result->stats.prompt_tokens > 700);
  EXPECT(ms_since(started) < 5000);
}

TEST(engine, answers_for_text_that_is_no_utf8) {
  const auto model = load_starter();
  EXPECT(generate(model, params_for("x = \"\xFF\xFE\xC0\xAF\xED\xA0\x80", "\x80\x80\n", 5)));
  EXPECT(generate(model, params_for(std::string("a\0b", 3), std::string(1, '\0'), 5)));
}

TEST(engine, shows_no_special_tokens_written_in_the_text) {
  const auto model = load_starter();
  const auto plain = model->tokenize("<|fim_prefix|><|endoftext|>");
  EXPECT(plain);
  for (const Token token : *plain) EXPECT(token > 6);
}

TEST(engine, refuses_parameters_out_of_range) {
  const auto model = load_starter();
  const auto code_with = [&](const std::function<void(GenerateParams&)>& change) {
    GenerateParams params = params_for("x = ", "", 10);
    change(params);
    return code_of(model->generate(params));
  };
  EXPECT_EQ(code_with([](auto& params) { params.max_tokens = 0; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& params) { params.max_tokens = 1021; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& params) { params.max_tokens = SIZE_MAX; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& params) { params.max_prompt_tokens = 2; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& params) { params.stop = {""}; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& params) { params.stop.assign(100, "x"); }), "request/invalid");
  EXPECT_EQ(code_with([](auto& params) { params.temperature = -1; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& params) { params.temperature = NAN; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& params) { params.time_limit_ms = -5; }), "request/invalid");
  for (const float top_p : {0.0f, -1.0f, 1.01f, NAN}) {
    EXPECT_EQ(code_with([top_p](auto& params) { params.top_p = top_p; }), "request/invalid");
  }
  EXPECT_EQ(code_with([](auto& params) { params.max_tokens = 1020; }), "ok");
}

TEST(engine, refuses_specs_out_of_range) {
  start_engine();
  const auto code_with = [](const std::function<void(ModelSpec&)>& change) {
    ModelSpec spec = starter_spec();
    change(spec);
    return code_of(engine::load(spec));
  };
  EXPECT_EQ(code_with([](auto& spec) { spec.path = ""; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& spec) { spec.threads = -1; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& spec) { spec.threads = 1000000; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& spec) { spec.gpu_layers = -2; }), "request/invalid");
  EXPECT_EQ(code_with([](auto& spec) { spec.context_length = 3; }), "request/invalid");
}

TEST(engine, names_what_is_wrong_with_a_path) {
  start_engine();
  EXPECT_EQ(code_of(engine::inspect("/no/such/model.gguf")), "model/not-found");
  EXPECT_EQ(code_of(engine::inspect(std::filesystem::temp_directory_path().string())), "file/unreadable");
  EXPECT_EQ(code_of(engine::inspect(__FILE__)), "model/not-gguf");
  ModelSpec spec = starter_spec();
  spec.path = "/no/such/model.gguf";
  EXPECT_EQ(code_of(engine::load(spec)), "model/not-found");
}

TEST(engine, loads_a_path_that_is_not_ascii) {
  start_engine();
  const auto path = temporary_file("\u00fcml\u00e4ut \u6a21\u578b.gguf");
  std::filesystem::copy_file(HOTPATH_STARTER_MODEL, path, std::filesystem::copy_options::overwrite_existing);
  ModelSpec spec = starter_spec();
  spec.path = path.string();
  const auto model = engine::load(spec);
  std::filesystem::remove(path);
  EXPECT_EQ(code_of(model), "ok");
}

TEST(engine, keeps_the_libraries_it_found_first) {
  start_engine();
  const auto again = engine::start({"/no/such/directory"});
  EXPECT(again);
  EXPECT(!again->cpu_variant.empty());
}

}  // namespace hotpath::test
