// hotpath-bench MODEL [--threads N] [--prompt N] [--tokens N] [--repeat N] [--gpu-layers N] [--libraries DIR] [--json]
//
// Prefill and decode speed of the engine beside llama.cpp driven directly: same file, threads, placement, token ids. The
// two take turns, so that whatever else the machine does hits both; each speed is the median of its runs, the ratio the
// median of neighbouring runs.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/direct_llama.h"
#include "engine/engine.h"
#include "llama/prompt.h"
#include "llama/sequences.h"

namespace hotpath {

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  ModelSpec spec;
  size_t prompt = 512;
  size_t tokens = 128;
  size_t repeat = 15;
  bool json = false;
  std::vector<std::string> libraries = {HOTPATH_LIBRARY_DIR, HOTPATH_GPU_LIBRARY_DIR};
};

struct Speed {
  double prefill;  // tokens per second
  double decode;
};

constexpr const char* kUsage =
    "hotpath-bench MODEL [--threads N] [--prompt N] [--tokens N] [--repeat N] [--gpu-layers N] [--libraries DIR] [--json]\n";

Result<Options> read_options(int argc, char** argv) {
  Options options;
  options.spec.device = DeviceChoice::automatic;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--json") {
      options.json = true;
    } else if (!name.starts_with("--")) {
      options.spec.path = name;
    } else if (i + 1 == argc) {
      return Error{ErrorCode::request_invalid, name + " needs a value", {}};
    } else if (const char* value = argv[++i]; name == "--libraries") {
      options.libraries = {value};
    } else if (name == "--threads") {
      options.spec.threads = std::atoi(value);
    } else if (name == "--gpu-layers") {
      options.spec.gpu_layers = std::atoi(value);
    } else if (name == "--prompt") {
      options.prompt = std::strtoul(value, nullptr, 10);
    } else if (name == "--tokens") {
      options.tokens = std::strtoul(value, nullptr, 10);
    } else if (name == "--repeat") {
      options.repeat = std::strtoul(value, nullptr, 10);
    } else {
      return Error{ErrorCode::request_invalid, "unknown option " + name, {}};
    }
  }
  if (options.spec.path.empty()) return Error{ErrorCode::request_invalid, "no model file is given", {}};
  if (options.prompt < 16 || options.tokens < 2 || options.repeat < 1) {
    return Error{ErrorCode::request_invalid, "at least 16 prompt tokens, 2 tokens and 1 run are needed", {}};
  }
  return options;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Some code; `variant` makes prompts that share nothing, so that no prefix is reused.
std::string some_code(size_t n_tokens, size_t variant) {
  std::string text = "# " + std::to_string(variant) + "\n";
  for (size_t i = 0; text.size() < n_tokens * 8; ++i) {
    text += "def function_" + std::to_string(i + variant) + "(value):\n    return value + " + std::to_string(i) + "\n\n";
  }
  return text;
}

/// As llama.cpp counts them, the output included.
int gpu_layers(const LoadedInfo& info) {
  uint32_t layers = 0;
  for (const DeviceShare& share : info.devices) layers += share.kind == DeviceKind::gpu ? share.layers : 0;
  return layers == 0 ? 0 : static_cast<int>(layers) + 1;
}

/// One run of each on the same prompt. Both generate the same number of tokens; neither stops early.
class Comparison {
 public:
  Comparison(const Options& options, Model& model)
      : options_(options),
        model_(model),
        direct_(options.spec.path, model.info().context_length, model.info().threads, gpu_layers(model.info())),
        vocabulary_(direct_.vocab(), model.info().metadata.fim) {}

  Speed run_direct(const std::string& text) {
    const std::vector<Token> prompt = build_prompt(vocabulary_, text, "", options_.prompt).tokens;
    // What the prompts share, the engine reuses; a batch a few tokens shorter is not faster by as much.
    const size_t kept = common_prefix_length(held_, prompt);
    direct_.keep(kept);
    held_ = prompt;
    const auto started = Clock::now();
    Token token = direct_.decode(std::span(prompt).subspan(kept));
    const double prefill = seconds_since(started);
    const auto decoding = Clock::now();
    for (size_t n = 1; n < options_.tokens; ++n) token = direct_.decode(std::span(&token, 1));
    return {static_cast<double>(prompt.size() - kept) / prefill, static_cast<double>(options_.tokens - 1) / seconds_since(decoding)};
  }

  Result<Speed> run_engine(const std::string& text) {
    GenerateParams params;
    params.prefix = text;
    params.max_prompt_tokens = options_.prompt;
    params.max_tokens = options_.tokens;
    params.ignore_end = true;
    const auto result = model_.generate(params);
    if (!result) return result.error();
    CHECK(result->stats.generated_tokens == options_.tokens);
    return Speed{result->stats.prefill_tokens_per_second, result->stats.decode_tokens_per_second};
  }

 private:
  const Options& options_;
  Model& model_;
  DirectLlama direct_;
  Vocabulary vocabulary_;
  std::vector<Token> held_;
};

/// Runs of one kind, in tokens per second; those with the same index were made one right after the other.
struct Row {
  const char* name;
  std::vector<double> engine = {};
  std::vector<double> direct = {};

  /// Median over the pairs: the machine's speed drifts more between pairs than within one.
  double ratio() const {
    std::vector<double> ratios;
    for (size_t i = 0; i < engine.size(); ++i) ratios.push_back(engine[i] / direct[i]);
    return median(std::move(ratios));
  }
};

void print(const Options& options, const LoadedInfo& info, const std::vector<Row>& rows) {
  if (options.json) {
    std::printf("{\"model\":\"%s\",\"threads\":%d,\"promptTokens\":%zu,\"tokens\":%zu,\"repeat\":%zu", info.metadata.name.c_str(),
                info.threads, options.prompt, options.tokens, options.repeat);
    for (const Row& row : rows) {
      std::printf(",\"%s\":{\"engine\":%.2f,\"direct\":%.2f,\"ratio\":%.4f}", row.name, median(row.engine), median(row.direct), row.ratio());
    }
    std::printf("}\n");
    return;
  }
  std::printf("%s, %s, %d threads", info.metadata.name.c_str(), info.metadata.quantization.c_str(), info.threads);
  for (const DeviceShare& share : info.devices) std::printf(", %s (%s): %u layers", share.name.c_str(), share.description.c_str(), share.layers);
  std::printf("\n%zu prompt tokens, %zu tokens, medians of %zu alternating runs\n\n", options.prompt, options.tokens, options.repeat);
  std::printf("%-10s %14s %14s %8s\n", "tok/s", "engine", "llama.cpp", "ratio");
  for (const Row& row : rows) {
    std::printf("%-10s %14.1f %14.1f %8.3f\n", row.name, median(row.engine), median(row.direct), row.ratio());
  }
}

Result<Done> run(const Options& options) {
  auto libraries = engine::start(options.libraries);
  if (!libraries) return libraries.error();
  auto model = engine::load(options.spec);
  if (!model) return model.error();
  if (options.prompt + options.tokens > (*model)->info().context_length) {
    return Error{ErrorCode::request_invalid,
                 format_text("%zu prompt tokens and %zu more do not fit into a context of %u", options.prompt, options.tokens,
                             (*model)->info().context_length),
                 {}};
  }
  Comparison comparison(options, **model);
  Row prefill = {"prefill"};
  Row decode = {"decode"};
  for (size_t i = 0; i <= options.repeat; ++i) {
    const std::string text = some_code(options.prompt, i);
    Speed theirs = {};
    if (i % 2) theirs = comparison.run_direct(text);  // each goes first half of the time
    auto ours = comparison.run_engine(text);
    if (!ours) return ours.error();
    if (i % 2 == 0) theirs = comparison.run_direct(text);
    if (i == 0) continue;  // warms caches and clocks
    prefill.engine.push_back(ours->prefill);
    prefill.direct.push_back(theirs.prefill);
    decode.engine.push_back(ours->decode);
    decode.direct.push_back(theirs.decode);
  }
  print(options, (*model)->info(), {prefill, decode});
  return Done{};
}

}  // namespace

}  // namespace hotpath

int main(int argc, char** argv) {
  using namespace hotpath;
  const auto options = read_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "%s\n%s", options.error().message.c_str(), kUsage);
    return 2;
  }
  const auto done = run(*options);
  if (!done) {
    std::fprintf(stderr, "%s: %s\n", error_code_text(done.error().code), done.error().message.c_str());
    return 1;
  }
  return 0;
}
