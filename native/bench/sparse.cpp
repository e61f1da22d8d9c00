// hotpath-sparse-bench MODEL [--modes auto,exact,predicted] [--against FILE] [--threads N] [--prompt N] [--tokens N]
//                      [--repeat N] [--json]
//
// Decode and prefill speed of the hot/cold backend beside stock llama.cpp: same file, same threads, same token ids, turn
// by turn in one process. Where llama.cpp cannot run the file (PowerInfer's format), `--against` names one of the same
// shape that it can. A mode that claims to be exact and gives other logits is not timed; of a model that llama.cpp runs
// with another activation only the time is compared.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>

#include "bench/direct_llama.h"
#include "engine/engine.h"
#include "llama/loaded_model.h"
#include "llama/sparsity.h"
#include "placement/measure.h"

namespace hotpath {

namespace {

using Clock = std::chrono::steady_clock;

struct Options {
  ModelSpec spec;
  std::string against;  // empty: the same file
  std::vector<hotcold::Mode> modes = {hotcold::Mode::exact};
  size_t prompt = 128;
  size_t tokens = 32;
  size_t repeat = 5;
  bool json = false;
  std::vector<std::string> libraries = {HOTPATH_LIBRARY_DIR, HOTPATH_GPU_LIBRARY_DIR};
};

constexpr const char* kUsage =
    "hotpath-sparse-bench MODEL [--modes auto,exact,predicted] [--against FILE] [--threads N] [--prompt N] [--tokens N]\n"
    "                     [--repeat N] [--json]\n";

/// Logits of exact mode differ from llama.cpp's by the order of summation; by more than this, relative to the largest
/// logit, something is wrong.
constexpr float kExactTolerance = 0.02f;

Error invalid(std::string what) { return {ErrorCode::request_invalid, std::move(what), {}}; }

Result<std::vector<hotcold::Mode>> read_modes(std::string_view text) {
  std::vector<hotcold::Mode> modes;
  while (!text.empty()) {
    const std::string_view name = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), name.size() + 1));
    const auto mode = hotcold::mode_by_name(name);
    if (!mode || *mode == hotcold::Mode::dense) {
      return invalid("--modes: \"" + std::string(name) + "\" is none of auto, exact, predicted, threshold");
    }
    modes.push_back(*mode);
  }
  return modes;
}

Result<Options> read_options(int argc, char** argv) {
  Options options;
  options.spec.device = DeviceChoice::cpu;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--json") {
      options.json = true;
    } else if (!name.starts_with("--")) {
      options.spec.path = name;
    } else if (i + 1 == argc) {
      return invalid(name + " needs a value");
    } else if (const char* value = argv[++i]; name == "--against") {
      options.against = value;
    } else if (name == "--modes") {
      auto modes = read_modes(value);
      if (!modes) return modes.error();
      options.modes = std::move(*modes);
    } else if (name == "--threads") {
      options.spec.threads = std::atoi(value);
    } else if (name == "--prompt") {
      options.prompt = std::strtoul(value, nullptr, 10);
    } else if (name == "--tokens") {
      options.tokens = std::strtoul(value, nullptr, 10);
    } else if (name == "--repeat") {
      options.repeat = std::strtoul(value, nullptr, 10);
    } else {
      return invalid("unknown option " + name);
    }
  }
  if (options.spec.path.empty()) return invalid("no model file is given");
  if (options.against.empty()) options.against = options.spec.path;
  if (options.prompt < 1 || options.tokens < 2 || options.repeat < 1) return invalid("at least 1 prompt token, 2 tokens and 1 run are needed");
  return options;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t middle = values.size() / 2;
  return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

struct Speed {
  double prefill;  // tokens per second
  double decode;
};

/// One way to run the model.
class Subject {
 public:
  Subject(std::string name, llama_context* context, hotcold::Store* ffns) : name_(std::move(name)), context_(context), ffns_(ffns) {}

  const std::string& name() const { return name_; }
  bool is_lossy() const { return ffns_ && (ffns_->mode() == hotcold::Mode::predicted || ffns_->mode() == hotcold::Mode::threshold); }

  /// The prompt in one batch, then token after token. `on_logits` gets those of each step.
  template <typename OnLogits>
  Speed run(std::vector<llama_token> tokens, size_t n_prompt, OnLogits on_logits) {
    llama_memory_clear(llama_get_memory(context_), true);
    const auto started = Clock::now();
    decode(tokens.data(), n_prompt);
    const auto prefilled = Clock::now();
    on_logits(llama_get_logits_ith(context_, -1));
    if (ffns_) ffns_->reset_stats();
    double decoding = 0;
    for (size_t i = n_prompt; i < tokens.size(); ++i) {
      const auto step = Clock::now();
      decode(&tokens[i], 1);
      const float* logits = llama_get_logits_ith(context_, -1);  // waits for them
      decoding += seconds(step, Clock::now());
      on_logits(logits);
    }
    return {static_cast<double>(n_prompt) / seconds(started, prefilled), static_cast<double>(tokens.size() - n_prompt) / decoding};
  }

  /// Empty where llama.cpp computes all FFNs.
  hotcold::Stats stats() const { return ffns_ ? ffns_->stats() : hotcold::Stats(); }

  std::vector<double> prefill;
  std::vector<double> speed;

 private:
  static double seconds(Clock::time_point from, Clock::time_point to) { return std::chrono::duration<double>(to - from).count(); }

  void decode(llama_token* tokens, size_t n) {
    CHECK(llama_decode(context_, llama_batch_get_one(tokens, static_cast<int32_t>(n))) == 0);
  }

  std::string name_;
  llama_context* context_;
  hotcold::Store* ffns_;
};

double ratio(const std::vector<double>& ours, const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (size_t i = 0; i < ours.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
  return median(std::move(ratios));
}

/// What speed does not depend on: any tokens, but always the same, and others in every run.
std::vector<llama_token> tokens_of_run(size_t run, size_t n, int32_t n_vocab) {
  uint64_t state = 0x9E3779B97F4A7C15u * (run + 1);
  std::vector<llama_token> tokens(n);
  for (llama_token& token : tokens) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    token = static_cast<llama_token>((state >> 33) % n_vocab);
  }
  return tokens;
}

class Comparison {
 public:
  Comparison(const Options& options, std::vector<LoadedModel> models, DirectLlama& stock)
      : options_(options), models_(std::move(models)), stock_("llama.cpp", stock.context(), nullptr), n_vocab_(llama_vocab_n_tokens(stock.vocab())) {
    for (LoadedModel& model : models_) {
      ours_.emplace_back(hotcold::mode_name(model.info.spec.mode), model.context.get(), model.ffns.get());
    }
  }

  Result<Done> check() {
    const hotcold::Store* ffns = models_.front().ffns.get();
    const bool is_same_function = options_.against == options_.spec.path && !(ffns && ffns->form());
    if (!is_same_function) return Done{};
    const auto tokens = tokens_of_run(0, options_.prompt + options_.tokens, n_vocab_);
    std::vector<float> expected;
    stock_.run(tokens, options_.prompt, [&](const float* logits) { expected.insert(expected.end(), logits, logits + n_vocab_); });
    float largest = 0;
    for (const float value : expected) largest = std::max(largest, std::fabs(value));
    for (Subject& subject : ours_) {
      if (subject.is_lossy()) continue;
      size_t at = 0;
      subject.run(tokens, options_.prompt, [&](const float* logits) {
        for (int32_t i = 0; i < n_vocab_; ++i, ++at) difference_ = std::max(difference_, std::fabs(logits[i] - expected[at]) / largest);
      });
      if (!(difference_ <= kExactTolerance)) {
        return Error{ErrorCode::internal_bug, format_text("the result differs from llama.cpp's by %.3g of the largest logit", difference_), {}};
      }
    }
    return Done{};
  }

  void measure() {
    for (size_t i = 0; i <= options_.repeat; ++i) {
      const auto tokens = tokens_of_run(i, options_.prompt + options_.tokens, n_vocab_);
      std::vector<Subject*> order = {&stock_};
      for (Subject& subject : ours_) order.push_back(&subject);
      if (i % 2) std::reverse(order.begin(), order.end());
      for (Subject* subject : order) {
        const Speed speed = subject->run(tokens, options_.prompt, [](const float*) {});
        if (i == 0) continue;  // warms caches and clocks
        subject->prefill.push_back(speed.prefill);
        subject->speed.push_back(speed.decode);
      }
    }
  }

  void print(double stream_gbps) const {
    const LoadedInfo& info = models_.front().info;
    if (!options_.json) {
      std::printf("%s, %d threads (%s); reads %.1f GB/s; logits within %.1e\n", info.metadata.name.c_str(), info.threads,
                  info.ffn.kernels.c_str(), stream_gbps, difference_);
      for (const LoadedModel& model : models_) {
        std::printf("%s: %s, %s\n", hotcold::mode_name(model.info.spec.mode), hotcold::mode_name(model.info.ffn.mode), model.info.ffn.reason.c_str());
      }
      std::printf("%-10s %10s %8s %10s %8s %9s %9s %8s %8s\n", "", "decode/s", "ratio", "prefill/s", "ratio", "active", "MB/token", "GB/s", "of read");
      std::printf("%-10s %10.2f %8s %10.1f\n", stock_.name().c_str(), median(stock_.speed), "", median(stock_.prefill));
    } else {
      std::printf("{\"model\":\"%s\",\"threads\":%d,\"kernels\":\"%s\",\"readGBps\":%.2f,\"difference\":%.3g,\"llama\":{\"decode\":%.3f,\"prefill\":%.2f},\"modes\":[",
                  info.metadata.name.c_str(), info.threads, info.ffn.kernels.c_str(), stream_gbps, difference_, median(stock_.speed), median(stock_.prefill));
    }
    for (size_t i = 0; i < ours_.size(); ++i) print_mode(ours_[i], models_[i].info, stream_gbps, i == 0);
    if (options_.json) std::printf("]}\n");
  }

 private:
  void print_mode(const Subject& subject, const LoadedInfo& info, double stream_gbps, bool is_first) const {
    const Sparsity sparsity = sparsity_of(info, subject.stats());
    const double decode = median(subject.speed);
    const double gbps = decode * sparsity.bytes_per_token / 1e9;
    if (options_.json) {
      std::printf("%s{\"mode\":\"%s\",\"decode\":%.3f,\"ratio\":%.4f,\"prefill\":%.2f,\"prefillRatio\":%.4f,\"active\":%.4f,\"bytesPerToken\":%.0f,\"GBps\":%.2f,\"ofRead\":%.3f}",
                  is_first ? "" : ",", subject.name().c_str(), decode, ratio(subject.speed, stock_.speed), median(subject.prefill),
                  ratio(subject.prefill, stock_.prefill), sparsity.active_share, sparsity.bytes_per_token, gbps, gbps / stream_gbps);
      return;
    }
    std::printf("%-10s %10.2f %8.2f %10.1f %8.2f %8.1f%% %9.1f %8.1f %7.0f%%\n", subject.name().c_str(), decode, ratio(subject.speed, stock_.speed),
                median(subject.prefill), ratio(subject.prefill, stock_.prefill), 100 * sparsity.active_share, sparsity.bytes_per_token / 1e6, gbps,
                100 * gbps / stream_gbps);
  }

  const Options& options_;
  std::vector<LoadedModel> models_;
  Subject stock_;
  std::vector<Subject> ours_;
  int32_t n_vocab_;
  float difference_ = 0;
};

Result<double> stream_rate(int threads) {
  const auto measured = measure_machine({});
  if (!measured) return measured.error();
  for (const CpuRate& rate : measured->cpu) {
    if (rate.threads == threads) return rate.stream_gbps;
  }
  return invalid(format_text("--threads is %d; bandwidth was measured for other numbers", threads));
}

Result<Done> run(Options options) {
  auto libraries = engine::start(options.libraries);
  if (!libraries) return libraries.error();
  std::vector<LoadedModel> models;
  for (const hotcold::Mode mode : options.modes) {
    options.spec.mode = mode;
    auto model = load_model(options.spec, {}, {});
    if (!model) return model.error();
    models.push_back(std::move(*model));
  }
  const LoadedInfo& info = models.front().info;
  if (options.prompt + options.tokens > info.context_length) return invalid(format_text("prompt and tokens do not fit into a context of %u", info.context_length));
  const int threads = info.threads;
  const auto stream = stream_rate(threads);
  if (!stream) return stream.error();
  DirectLlama stock(options.against, info.context_length, threads, 0);
  Comparison comparison(options, std::move(models), stock);
  auto checked = comparison.check();
  if (!checked) return checked.error();
  comparison.measure();
  comparison.print(*stream);
  return Done{};
}

}  // namespace

}  // namespace hotpath

int main(int argc, char** argv) {
  using namespace hotpath;
  auto options = read_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "%s\n%s", options.error().message.c_str(), kUsage);
    return 2;
  }
  const auto done = run(std::move(*options));
  if (!done) {
    std::fprintf(stderr, "%s: %s\n", error_code_text(done.error().code), done.error().message.c_str());
    return 1;
  }
  return 0;
}
