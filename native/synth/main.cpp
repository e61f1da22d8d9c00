// hotpath-synth: the synthetic models of `hotpath synth`, without Node.
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <string>

#if defined(_WIN32)
#include <io.h>
#define isatty _isatty
#define fileno _fileno
#else
#include <unistd.h>
#endif

#include "synth/options.h"
#include "synth/writer.h"

namespace hotpath::synth {

namespace {

constexpr const char* kUsage =
    "hotpath-synth OUT.gguf --vocabulary MODEL.gguf --preset NAME [options]\n"
    "\n"
    "  --vocabulary FILE  the model whose tokens are used\n"
    "  --preset NAME      sizes: tiny, tiny-moe, 0.5b, 1.5b, 3b, qwen-7b, 14b, 32b, 7b, 13b, 34b, 70b, 30b-a3b\n"
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

Result<Options> read_options(int argc, char** argv) {
  Options options;
  std::map<std::string, std::string> named;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--powerinfer") {
      named["powerinfer"] = "yes";
    } else if (!name.starts_with("--")) {
      options.path = name;
    } else if (i + 1 == argc) {
      return invalid(name + " needs a value");
    } else if (name == "--vocabulary") {
      options.vocabulary = argv[++i];
    } else {
      named[name.substr(2)] = argv[++i];
    }
  }
  if (options.path.empty()) return invalid("no file to write is given");
  if (options.vocabulary.empty()) return invalid("--vocabulary is missing");
  auto spec = read_spec(named);
  if (!spec) return spec.error();
  options.spec = *spec;
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
