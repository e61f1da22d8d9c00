// hotpath-sparse-bench MODEL [--modes auto,exact,predicted] [--against FILE] [--threads N] [--prompt N] [--tokens N]
//                      [--repeat N] [--vram SIZE] [--profile FILE] [--cuda FILE] [--json] [--json-file FILE]
//
// Decode and prefill speed of the hot/cold backend beside stock llama.cpp: same file, same threads, same token ids, turn
// by turn in one process. Where llama.cpp cannot run the file (PowerInfer's format), `--against` names one of the same
// shape that it can. A mode that claims to be exact and gives other logits is not timed; of a model that llama.cpp runs
// with another activation only the time is compared.
//
// With `--vram 8GB` both have a GPU, and this much of its memory. llama.cpp is first tried in every way it offers for that
// (stock_choices.h), each alone; the fastest is compared. Both are in memory then, so the card must hold twice the cap. The context
// is no longer than the tokens need.
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
#include "bench/stock_choices.h"
#include "engine/engine.h"
#include "llama/hybrid_placement.h"
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
  std::string json_file;  // empty: none
  std::vector<std::string> libraries = {HOTPATH_LIBRARY_DIR, HOTPATH_GPU_LIBRARY_DIR};
};

constexpr const char* kUsage =
    "hotpath-sparse-bench MODEL [--modes auto,exact,predicted] [--against FILE] [--threads N] [--prompt N] [--tokens N]\n"
    "                     [--repeat N] [--vram SIZE] [--profile FILE] [--cuda FILE] [--json] [--json-file FILE]\n"
    "  --vram     GPU memory that either may use, such as 8GB or 500MB; without it, none\n"
    "  --profile  where it is kept which neurons are hot; made before the measurement when it is not there\n"
    "  --cuda     the library of Hotpath's own CUDA kernels\n";

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

/// 8GB, 1.5GB, 500MB; of 10^9 and 10^6 bytes.
Result<uint64_t> read_size(const char* text) {
  char* end = nullptr;
  const double number = std::strtod(text, &end);
  const std::string unit = end;
  const double scale = unit == "GB" ? 1e9 : unit == "MB" ? 1e6 : 0;
  if (!(number > 0) || scale == 0 || number * scale > 1e15) return invalid("--vram is \"" + std::string(text) + "\", must be a size such as 8GB or 500MB");
  return static_cast<uint64_t>(number * scale);
}

Result<Options> read_options(int argc, char** argv) {
  Options options;
  options.spec.n_sequences = 1;  // as llama.cpp has it here
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
    } else if (name == "--vram") {
      auto bytes = read_size(value);
      if (!bytes) return bytes.error();
      options.spec.vram_bytes = *bytes;
      options.spec.device = DeviceChoice::automatic;
    } else if (name == "--profile") {
      options.spec.profile = value;
    } else if (name == "--json-file") {
      options.json_file = value;
    } else if (name == "--cuda") {
      options.spec.cuda_library = value;
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
  // Of a long one the KV cache would take what the comparison is about.
  if (options.spec.vram_bytes > 0) options.spec.context_length = static_cast<uint32_t>(std::max<size_t>(64, options.prompt + options.tokens));
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
    const float* first = llama_get_logits_ith(context_, -1);  // waits for the prompt
    const auto prefilled = Clock::now();
    on_logits(first);
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
  uint64_t vram_bytes = 0;  // by which the device had less free when it was loaded

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

/// A model as Hotpath has it, and what it took of the GPU's memory.
struct Ours {
  LoadedModel model;
  uint64_t vram_bytes = 0;
};

/// A way llama.cpp was tried.
struct Tried {
  StockChoice choice;
  Speed speed = {};
  uint64_t vram_bytes = 0;
};

/// What `load` takes of the memory of the device; 0 without one.
template <typename Load>
uint64_t taken_by(ggml_backend_dev_t gpu, Load load) {
  const uint64_t before = gpu ? free_device_bytes(gpu, 0) : 0;
  load();
  const uint64_t after = gpu ? free_device_bytes(gpu, 0) : 0;
  return before > after ? before - after : 0;
}

class Comparison {
 public:
  Comparison(const Options& options, std::vector<Ours> models, DirectLlama& stock, std::vector<Tried> tried)
      : options_(options),
        models_(std::move(models)),
        stock_("llama.cpp", stock.context(), nullptr),
        tried_(std::move(tried)),
        n_vocab_(llama_vocab_n_tokens(stock.vocab())) {
    for (Ours& ours : models_) {
      ours_.emplace_back(hotcold::mode_name(ours.model.info.spec.mode), ours.model.context.get(), ours.model.ffns.get());
      ours_.back().vram_bytes = ours.vram_bytes;
    }
  }

  Result<Done> check() {
    const hotcold::Store* ffns = models_.front().model.ffns.get();
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
      // Devices round in other ways, and a router then chooses other experts: with a GPU the difference is told, not judged.
      if (options_.spec.vram_bytes == 0 && !(difference_ <= kExactTolerance)) {
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

  void print(double stream_gbps, std::FILE* out, bool is_json) {
    out_ = out;
    is_json_ = is_json;
    const LoadedInfo& info = models_.front().model.info;
    if (!is_json_) {
      std::fprintf(out_, "%s, %d threads (%s); reads %.1f GB/s; logits within %.1e\n", info.metadata.name.c_str(), info.threads,
                  info.ffn.kernels.c_str(), stream_gbps, difference_);
      for (const Ours& ours : models_) print_placement(ours.model.info);
      print_tried();
      std::fprintf(out_, "%-10s %10s %8s %10s %8s %9s %9s %8s %8s %9s\n", "", "decode/s", "ratio", "prefill/s", "ratio", "active", "MB/token", "GB/s", "of read", "hot");
      std::fprintf(out_, "%-10s %10.2f %8s %10.1f\n", stock_.name().c_str(), median(stock_.speed), "", median(stock_.prefill));
    } else {
      std::fprintf(out_, "{\"model\":\"%s\",\"threads\":%d,\"kernels\":\"%s\",\"readGBps\":%.2f,\"difference\":%.3g,\"llama\":{\"decode\":%.3f,\"prefill\":%.2f},",
                  info.metadata.name.c_str(), info.threads, info.ffn.kernels.c_str(), stream_gbps, difference_, median(stock_.speed), median(stock_.prefill));
      print_tried();
      std::fprintf(out_, "\"modes\":[");
    }
    for (size_t i = 0; i < ours_.size(); ++i) print_mode(ours_[i], models_[i].model.info, stream_gbps, i == 0);
    if (is_json_) std::fprintf(out_, "]}\n");
  }

 private:
  void print_placement(const LoadedInfo& info) const {
    std::fprintf(out_, "%s: %s, %s", hotcold::mode_name(info.spec.mode), hotcold::mode_name(info.ffn.mode), info.ffn.reason.c_str());
    for (const DeviceShare& share : info.devices) std::fprintf(out_, "; %s (%s): %u layers", share.name.c_str(), share.description.c_str(), share.layers);
    if (info.ffn.hot.neurons > 0) {
      std::fprintf(out_, "; %llu neurons of %u layers on %s", static_cast<unsigned long long>(info.ffn.hot.neurons), info.ffn.hot.layers, info.ffn.hot.device.c_str());
    }
    std::fprintf(out_, "%s%s\n", info.fallback.empty() ? "" : "; ", info.fallback.c_str());
  }

  /// What llama.cpp offers, the fastest first: that is what is compared.
  void print_tried() const {
    if (tried_.empty()) return;
    if (is_json_) {
      std::fprintf(out_, "\"vramCap\":%llu,\"tried\":[", static_cast<unsigned long long>(options_.spec.vram_bytes));
    } else {
      std::fprintf(out_, "of %s of GPU memory, llama.cpp alone:\n", format_bytes(static_cast<double>(options_.spec.vram_bytes)).c_str());
    }
    for (size_t i = 0; i < tried_.size(); ++i) {
      const Tried& tried = tried_[i];
      const char* name = tried.choice.name.c_str();
      if (is_json_) {
        std::fprintf(out_, "%s{\"choice\":\"%s\",\"decode\":%.3f,\"prefill\":%.2f,\"vramBytes\":%llu}", i > 0 ? "," : "", name, tried.speed.decode,
                    tried.speed.prefill, static_cast<unsigned long long>(tried.vram_bytes));
      } else {
        std::fprintf(out_, "  %-48s decode/s %8.2f, prefill/s %8.1f, takes %s\n", name, tried.speed.decode, tried.speed.prefill,
                    format_bytes(static_cast<double>(tried.vram_bytes)).c_str());
      }
    }
    if (is_json_) std::fprintf(out_, "],");
  }

  void print_mode(const Subject& subject, const LoadedInfo& info, double stream_gbps, bool is_first) const {
    const Sparsity sparsity = sparsity_of(info, subject.stats());
    const double decode = median(subject.speed);
    const double gbps = decode * sparsity.bytes_per_token / 1e9;
    if (is_json_) {
      std::fprintf(out_, "%s{\"mode\":\"%s\",\"decode\":%.3f,\"ratio\":%.4f,\"prefill\":%.2f,\"prefillRatio\":%.4f,\"active\":%.4f,\"bytesPerToken\":%.0f,\"GBps\":%.2f,\"ofRead\":%.3f,\"hot\":%.4f,\"vramBytes\":%llu}",
                  is_first ? "" : ",", subject.name().c_str(), decode, ratio(subject.speed, stock_.speed), median(subject.prefill),
                  ratio(subject.prefill, stock_.prefill), sparsity.active_share, sparsity.bytes_per_token, gbps, gbps / stream_gbps,
                  sparsity.hot_share, static_cast<unsigned long long>(subject.vram_bytes));
      return;
    }
    std::fprintf(out_, "%-10s %10.2f %8.2f %10.1f %8.2f %8.1f%% %9.1f %8.1f %7.0f%% %8.1f%%\n", subject.name().c_str(), decode, ratio(subject.speed, stock_.speed),
                median(subject.prefill), ratio(subject.prefill, stock_.prefill), 100 * sparsity.active_share, sparsity.bytes_per_token / 1e6, gbps,
                100 * gbps / stream_gbps, 100 * sparsity.hot_share);
    if (options_.spec.vram_bytes > 0) std::fprintf(out_, "%-10s takes %s of GPU memory\n", "", format_bytes(static_cast<double>(subject.vram_bytes)).c_str());
  }

  const Options& options_;
  std::vector<Ours> models_;
  Subject stock_;
  std::vector<Tried> tried_;
  std::vector<Subject> ours_;
  int32_t n_vocab_;
  float difference_ = 0;
  std::FILE* out_ = stdout;
  bool is_json_ = false;
};

Result<double> stream_rate(const MachineMeasurement& measured, int threads) {
  for (const CpuRate& rate : measured.cpu) {
    if (rate.threads == threads) return rate.stream_gbps;
  }
  return invalid(format_text("--threads is %d; bandwidth was measured for other numbers", threads));
}

DirectLlama load_stock(const Options& options, uint32_t context_length, int threads, const StockChoice& choice) {
  return DirectLlama(options.against, context_length, threads, choice.gpu_layers, choice.cpu_pattern());
}

/// llama.cpp in every way, each alone in memory, the fastest in decoding first; without those that take more than the cap.
Result<std::vector<Tried>> try_stock(const Options& options, uint32_t context_length, int threads, ggml_backend_dev_t gpu) {
  const auto file = read_model_file(options.against);
  if (!file) return file.error();
  std::vector<Tried> all;
  for (StockChoice& choice : stock_choices(*file, context_length, options.spec.vram_bytes)) {
    std::optional<DirectLlama> stock;
    Tried tried = {std::move(choice)};
    tried.vram_bytes = taken_by(gpu, [&] { stock.emplace(load_stock(options, context_length, threads, tried.choice)); });
    if (tried.vram_bytes > options.spec.vram_bytes) {
      std::fprintf(stderr, "left out: llama.cpp with %s takes %llu bytes of GPU memory, %llu are allowed\n", tried.choice.name.c_str(),
                   static_cast<unsigned long long>(tried.vram_bytes), static_cast<unsigned long long>(options.spec.vram_bytes));
      continue;
    }
    Subject subject(tried.choice.name, stock->context(), nullptr);
    const int32_t n_vocab = llama_vocab_n_tokens(stock->vocab());
    for (size_t i = 0; i < 2; ++i) {  // the first warms up
      tried.speed = subject.run(tokens_of_run(i, options.prompt + options.tokens, n_vocab), options.prompt, [](const float*) {});
    }
    all.push_back(std::move(tried));
  }
  if (all.empty()) return invalid("llama.cpp can be run in no way with so little GPU memory");
  std::stable_sort(all.begin(), all.end(), [](const Tried& a, const Tried& b) { return a.speed.decode > b.speed.decode; });
  return all;
}

constexpr size_t kProfiledTokens = 160;  // a sample of them is counted
constexpr size_t kProfilingRun = 1'000'000;  // other tokens than are measured

/// Hot neurons are placed by what the model did before; this is before.
Result<Done> make_profile(const Options& options) {
  if (options.spec.profile.empty() || load_profile(options.spec.profile)) return Done{};
  auto model = load_model(options.spec, {}, {});
  if (!model) return model.error();
  if (!model->profile) return Done{};  // all of it is llama.cpp's
  const int32_t n_vocab = llama_vocab_n_tokens(llama_model_get_vocab(model->model.get()));
  Subject("profile", model->context.get(), model->ffns.get()).run(tokens_of_run(kProfilingRun, std::min<size_t>(kProfiledTokens, model->info.context_length), n_vocab), 1, [](const float*) {});
  model->profile->collect();
  return model->profile->save();
}

Result<std::vector<Ours>> load_ours(Options& options, ggml_backend_dev_t gpu) {
  std::vector<Ours> models;
  options.spec.mode = options.modes.front();
  if (auto made = make_profile(options); !made) return made.error();
  for (const hotcold::Mode mode : options.modes) {
    options.spec.mode = mode;
    std::optional<Error> failed;
    Ours ours;
    ours.vram_bytes = taken_by(gpu, [&] {
      auto model = load_model(options.spec, {}, {});
      if (model) ours.model = std::move(*model);
      else failed = model.error();
    });
    if (failed) return *failed;
    models.push_back(std::move(ours));
  }
  return models;
}

Result<Done> run(Options options) {
  auto libraries = engine::start(options.libraries);
  if (!libraries) return libraries.error();
  const auto file = read_model_file(options.spec.path);
  if (!file) return file.error();
  const uint32_t context_length = served_context(options.spec.context_length, file->metadata);
  if (options.prompt + options.tokens > context_length) return invalid(format_text("prompt and tokens do not fit into a context of %u", context_length));
  const int threads = served_threads(options.spec.threads);
  const auto measured = measure_machine({});
  if (!measured) return measured.error();
  const auto stream = stream_rate(*measured, threads);
  if (!stream) return stream.error();

  const auto gpus = usable_gpus();
  const bool is_capped = options.spec.vram_bytes > 0;
  if (is_capped && gpus.size() != 1) {
    return Error{ErrorCode::device_unavailable, format_text("--vram is of one GPU, %zu were found", gpus.size()), {}};
  }
  const ggml_backend_dev_t gpu = is_capped ? gpus.front() : nullptr;
  std::vector<Tried> tried;
  if (is_capped) {
    options.spec.rates = rates_of(*measured);
    auto all = try_stock(options, context_length, threads, gpu);
    if (!all) return all.error();
    tried = std::move(*all);
  }
  auto models = load_ours(options, gpu);
  if (!models) return models.error();
  DirectLlama stock = load_stock(options, context_length, threads, is_capped ? tried.front().choice : StockChoice());
  Comparison comparison(options, std::move(*models), stock, std::move(tried));
  auto checked = comparison.check();
  if (!checked) return checked.error();
  comparison.measure();
  comparison.print(*stream, stdout, options.json);
  if (!options.json_file.empty()) {
    std::FILE* file = std::fopen(options.json_file.c_str(), "w");
    if (!file) return invalid("--json-file: " + options.json_file + " cannot be written");
    comparison.print(*stream, file, true);
    if (std::fclose(file) != 0) return invalid("--json-file: " + options.json_file + " cannot be written");
  }
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
