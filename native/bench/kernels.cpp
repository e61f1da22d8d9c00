// hotpath-kernel-bench [--isa NAME] [--format NAME] [--libraries DIR]
//
// Speed of the hot/cold kernels with one thread, beside this machine's read bandwidth and ggml's own kernels. A kernel
// whose result is wrong is not timed, and the exit code is 1.
#include <cstdio>

#include "bench/kernel_bench.h"
#include "hotcold/memory.h"
#include "llama/runtime.h"
#include "placement/reader.h"

namespace hotpath::kernel_bench {

namespace {

constexpr const char* kUsage = "hotpath-kernel-bench [--isa NAME] [--format NAME] [--libraries DIR]\n";

/// Of more than any cache holds, by one thread.
double read_bandwidth() {
  constexpr size_t kBytes = size_t{320} << 20;
  hotcold::AlignedBytes memory(kBytes);
  std::memset(memory.data(), 1, memory.size());
  volatile uint64_t sink = 0;
  const double seconds = fastest(9, [&] {
    sink = sink + stream_words(reinterpret_cast<const uint64_t*>(memory.data()), kBytes / sizeof(uint64_t));
  });
  return kBytes / seconds;
}

int run(int argc, char** argv) {
  Choice choice{hotcold::usable_isas().front(), ""};
  std::string libraries = HOTPATH_LIBRARY_DIR;
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i], value = i + 1 < argc ? argv[i + 1] : "";
    const std::optional<hotcold::Isa> isa = hotcold::isa_by_name(value);
    if (name == "--isa" && isa) {
      choice.isa = *isa;
    } else if (name == "--format" && !value.empty()) {
      choice.format = value;
    } else if (name == "--libraries" && !value.empty()) {
      libraries = value;
    } else {
      std::fputs(kUsage, stderr);
      return 2;
    }
  }
  if (const Result<Libraries> started = start_runtime({libraries}); !started) {
    std::fprintf(stderr, "%s\n", started.error().message.c_str());
    return 1;
  }
  const Machine machine{read_bandwidth()};
  std::printf("%s; one thread reads %.1f GB/s\n", hotcold::isa_name(choice.isa), machine.read_bandwidth / 1e9);
  const bool rows_right = bench_rows(machine, choice);
  return bench_down(machine, choice) && rows_right ? 0 : 1;
}

}  // namespace

}  // namespace hotpath::kernel_bench

int main(int argc, char** argv) { return hotpath::kernel_bench::run(argc, argv); }
