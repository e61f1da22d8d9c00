// hotpath-synth OUT.gguf --vocabulary MODEL.gguf --preset NAME [options]: see kUsage.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#if defined(_WIN32)
#include <io.h>
#define isatty _isatty
#define fileno _fileno
#else
#include <unistd.h>
#endif

#include "synth/writer.h"

namespace hotpath::synth {

namespace {

constexpr const char* kUsage =
    "hotpath-synth OUT.gguf --vocabulary MODEL.gguf --preset NAME [options]\n"
    "\n"
    "  --vocabulary FILE  the model whose tokens are used\n"
    "  --preset NAME      sizes: tiny, 0.5b, 1.5b, 7b, 13b, 34b, 70b, 30b-a3b, tiny-moe\n"
    "  --arch NAME        llama, llama-relu, arcee, moe; with --powerinfer llama-relu, bamboo, falcon, opt\n"
    "  --type NAME        q8_0, q4_0, q4_k, q6_k, f16, bf16, f32\n"
    "  --active A[:B]     fraction of neurons that are active for a token, in the first and the last layer\n"
    "  --skew S           share of all activations that the hottest 26 % of neurons have\n"
    "  --powerinfer       write PowerInfer's format, with predictors\n"
    "  --layers, --embd, --heads, --kv-heads, --head-dim, --ff, --experts, --experts-used, --vocab, --seed  N\n";

struct Options {
  Spec spec;
  std::string vocabulary;
  std::string path;
};

Error invalid(std::string what) { return {ErrorCode::request_invalid, std::move(what), {}}; }

struct SizeOption {
  const char* name;
  uint32_t Shape::*field;
};

constexpr std::array<SizeOption, 9> kSizeOptions = {{
    {"--layers", &Shape::n_layers},   {"--embd", &Shape::n_embd},         {"--heads", &Shape::n_heads},
    {"--kv-heads", &Shape::n_kv_heads}, {"--head-dim", &Shape::head_dim}, {"--ff", &Shape::n_ff},
    {"--experts", &Shape::n_experts}, {"--experts-used", &Shape::n_experts_used}, {"--vocab", &Shape::n_vocab},
}};

std::optional<ggml_type> find_type(const std::string& name) {
  for (const ggml_type type : {GGML_TYPE_Q8_0, GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K, GGML_TYPE_F16, GGML_TYPE_BF16,
                               GGML_TYPE_F32}) {
    std::string known = ggml_type_name(type);
    std::transform(known.begin(), known.end(), known.begin(), [](unsigned char c) { return std::tolower(c); });
    if (known == name) return type;
  }
  return std::nullopt;
}

Result<double> number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0') return invalid("\"" + text + "\" is not a number");
  return value;
}

Result<uint64_t> count(const std::string& text) {
  char* end = nullptr;
  const uint64_t value = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || text[0] == '-' || *end != '\0') return invalid("\"" + text + "\" is not a number");
  return value;
}

Result<Done> set_active(const std::string& text, Spec& spec) {
  const size_t colon = text.find(':');
  const auto first = number(text.substr(0, colon));
  if (!first) return first.error();
  const auto last = colon == std::string::npos ? first : number(text.substr(colon + 1));
  if (!last) return last.error();
  spec.active_first = *first;
  spec.active_last = *last;
  return Done{};
}

Result<Done> set_preset(const std::string& name, Options& options) {
  const Preset* preset = find_preset(name);
  if (!preset) return invalid("there is no preset " + name);
  options.spec.shape = preset->shape;
  if (preset->shape.n_experts > 0) options.spec.arch = Arch::moe;
  return Done{};
}

Result<Done> set_option(const std::string& name, const std::string& value, Options& options) {
  const auto size = std::find_if(kSizeOptions.begin(), kSizeOptions.end(), [&](const auto& option) { return option.name == name; });
  if (size != kSizeOptions.end() || name == "--seed") {
    const auto n = count(value);
    if (!n) return n.error();
    if (name == "--seed") options.spec.seed = *n;
    else options.spec.shape.*size->field = static_cast<uint32_t>(std::min<uint64_t>(*n, UINT32_MAX));
  } else if (name == "--preset") {
    return set_preset(value, options);
  } else if (name == "--vocabulary") {
    options.vocabulary = value;
  } else if (name == "--arch") {
    const Arch* arch = find_arch(value);
    if (!arch) return invalid("there is no architecture " + value);
    options.spec.arch = *arch;
  } else if (name == "--type") {
    const auto type = find_type(value);
    if (!type) return invalid("there is no type " + value);
    options.spec.type = *type;
  } else if (name == "--active") {
    return set_active(value, options.spec);
  } else if (name == "--skew") {
    const auto skew = number(value);
    if (!skew) return skew.error();
    options.spec.skew = *skew;
  } else {
    return invalid("unknown option " + name);
  }
  return Done{};
}

Result<Options> read_options(int argc, char** argv) {
  Options options;
  // Presets first: what else is said changes them, in whatever order.
  for (const bool wants_preset : {true, false}) {
    for (int i = 1; i < argc; ++i) {
      const std::string name = argv[i];
      if (name == "--powerinfer") {
        options.spec.powerinfer = true;
      } else if (!name.starts_with("--")) {
        options.path = name;
      } else if (i + 1 == argc) {
        return invalid(name + " needs a value");
      } else if (++i; (name == "--preset") == wants_preset) {
        if (auto set = set_option(name, argv[i], options); !set) return set.error();
      }
    }
  }
  if (options.path.empty()) return invalid("no file to write is given");
  if (options.vocabulary.empty()) return invalid("--vocabulary is missing");
  return options;
}

CancelFlag& interrupt() {
  static CancelFlag flag;
  return flag;
}

/// One line on a terminal, rewritten twice a second.
class Progress {
 public:
  void operator()(uint64_t bytes, uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (!isatty(fileno(stderr)) || now - shown_ < std::chrono::milliseconds(500)) return;
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - started_).count();
    const double left = seconds * (static_cast<double>(total) / static_cast<double>(bytes) - 1);
    std::fprintf(stderr, "\r%3.0f %%  %s/s  %.0f s left   ", 100.0 * static_cast<double>(bytes) / static_cast<double>(total),
                 format_bytes(static_cast<double>(bytes) / seconds).c_str(), left);
  }

 private:
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point shown_ = {};
};

int fail(const Error& error) {
  std::fprintf(stderr, "hotpath-synth: %s: %s\n", error_code_text(error.code), error.message.c_str());
  if (error.code == ErrorCode::request_cancelled) return 130;
  return error.code == ErrorCode::request_invalid ? 2 : 1;
}

int run(int argc, char** argv) {
  if (argc < 2 || std::string(argv[1]) == "--help") {
    std::fputs(kUsage, argc < 2 ? stderr : stdout);
    return argc < 2 ? 2 : 0;
  }
  const auto options = read_options(argc, argv);
  if (!options) return fail(options.error());
  interrupt();  // made before a signal can ask for it
  std::signal(SIGINT, [](int) { interrupt().raise(); });
  std::signal(SIGTERM, [](int) { interrupt().raise(); });
  Progress progress;
  const auto written = write_model(options->spec, options->vocabulary, options->path,
                                   [&](uint64_t bytes, uint64_t total) { progress(bytes, total); }, interrupt());
  if (isatty(fileno(stderr))) std::fputs("\r\033[K", stderr);
  if (!written) return fail(written.error());
  std::printf("%s: %s in %.1f s\n", options->path.c_str(), format_bytes(static_cast<double>(written->bytes)).c_str(),
              written->seconds);
  return 0;
}

}  // namespace

}  // namespace hotpath::synth

int main(int argc, char** argv) { return hotpath::synth::run(argc, argv); }
