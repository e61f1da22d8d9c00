// Which down kernels there are.
#include "hotcold/kernels/down_common.h"

namespace hotpath::hotcold {

namespace {

struct Source {
  Isa isa;
  DownTable (*table)();
};

// Each instruction set after those that it may borrow from.
constexpr Source kSources[] = {
    {Isa::generic, down_generic},
#if defined(__x86_64__) || defined(_M_X64)
    {Isa::avx2, down_avx2},
    {Isa::avx512, down_avx512},
    {Isa::avx512_vnni, down_avx512_vnni},
#elif defined(__aarch64__) || defined(_M_ARM64)
    {Isa::neon, down_neon},
    {Isa::neon_dotprod, down_neon_dotprod},
#endif
};

std::vector<DownKernels> make_kernels(Isa isa) {
  std::vector<DownKernels> kernels;
  for (const DownArithmetic& plain : down_generic()) {
    DownKernels made = *down_storage(plain.type, plain.scales);
    for (const Source& source : kSources) {
      for (const DownArithmetic& entry : source.table()) {
        if (entry.type != plain.type || entry.scales != plain.scales) continue;
        made.isa = source.isa;
        made.accumulate = entry.accumulate;
        made.multiply = entry.multiply;
        made.multiply_scratch_bytes = entry.multiply_scratch_bytes;
      }
      if (source.isa == isa) break;
    }
    kernels.push_back(made);
  }
  return kernels;
}

}  // namespace

const DownKernels* down_kernels(ggml_type type, DownScales scales, Isa isa) {
  for (const Source& source : kSources) {
    if (source.isa != isa) continue;
    static const std::vector<DownKernels> kKernels[] = {make_kernels(Isa::generic), make_kernels(Isa::avx2),
        make_kernels(Isa::avx512), make_kernels(Isa::avx512_vnni), make_kernels(Isa::neon), make_kernels(Isa::neon_dotprod)};
    for (const DownKernels& kernels : kKernels[static_cast<int>(isa)]) {
      if (kernels.type == type && kernels.scales == scales) return &kernels;
    }
  }
  return nullptr;
}

}  // namespace hotpath::hotcold
