// hotpath-kernel-bench [--isa NAME] [--format NAME] [--libraries DIR]
//
// Speed of the hot/cold kernels with one thread, beside this machine's read bandwidth and ggml's own kernels. A kernel
// whose result is wrong is not timed, and the exit code is 1.
#include <cstdio>

#include "bench/kernel_bench.h"
#include "llama/runtime.h"

namespace hotpath::kernel_bench {

namespace {

void prefetch(const void* at) {
#ifdef _MSC_VER
  (void)at;  // the processor's own prefetcher alone
#else
  __builtin_prefetch(at);
#endif
}

constexpr const char* kUsage = "hotpath-kernel-bench [--isa NAME] [--format NAME] [--libraries DIR]\n";

/// Reads more than any cache holds, four pages at a time with prefetch: what keeps the most loads in flight here.
double read_bandwidth() {
  constexpr size_t kBytes = size_t{320} << 20, kPages = 4, kPage = 4096, kLine = 64, kWords = kLine / sizeof(uint64_t);
  const Memory memory(kBytes + kPages * kPage);
  std::memset(memory.at(), 1, memory.size());
  volatile uint64_t sink = 0;
  const double seconds = fastest(9, [&] {
    uint64_t sums[kWords] = {};
    for (size_t at = 0; at < kBytes; at += kPages * kPage) {
      for (size_t line = at; line < at + kPage; line += kLine) {
        for (size_t page = 0; page < kPages; ++page) {
          const uint8_t* here = memory.at(line + page * kPage);
          prefetch(here + kPages * kPage);
          uint64_t words[kWords];
          std::memcpy(words, here, kLine);
          for (size_t k = 0; k < kWords; ++k) sums[k] += words[k];
        }
      }
    }
    for (const uint64_t sum : sums) sink = sink + sum;
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
