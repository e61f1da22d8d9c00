// The table of row kernels: every format times every instruction set of this processor family.
#include "hotcold/kernels/rows_table.h"

namespace hotpath::hotcold {

namespace {

struct Filler {
  Isa isa;
  void (*fill)(RowKernels& kernels);
};

constexpr Filler kFillers[] = {
#if defined(__x86_64__) || defined(_M_X64)
    {Isa::avx512_vnni, fill_row_kernels_avx512_vnni},
    {Isa::avx512, fill_row_kernels_avx512},
    {Isa::avx2, fill_row_kernels_avx2},
#elif defined(__aarch64__) || defined(_M_ARM64)
    {Isa::neon_dotprod, fill_row_kernels_neon_dotprod},
    {Isa::neon, fill_row_kernels_neon},
#endif
    {Isa::generic, fill_row_kernels_generic},
};

constexpr ggml_type kTypes[] = {GGML_TYPE_F32,  GGML_TYPE_F16,  GGML_TYPE_BF16, GGML_TYPE_Q8_0,
                                GGML_TYPE_Q4_0, GGML_TYPE_Q4_K, GGML_TYPE_Q6_K};

std::vector<RowKernels> all_row_kernels() {
  std::vector<RowKernels> all;
  for (const ggml_type type : kTypes) {
    for (const Filler& filler : kFillers) {
      RowKernels kernels{};
      kernels.type = type;
      kernels.isa = filler.isa;
      fill_row_packing(kernels);
      filler.fill(kernels);
      all.push_back(kernels);
    }
  }
  return all;
}

}  // namespace

const RowKernels* row_kernels(ggml_type type, Isa isa) {
  static const std::vector<RowKernels> all = all_row_kernels();
  for (const RowKernels& kernels : all) {
    if (kernels.type == type && (kernels.isa == isa || kernels.isa == Isa::generic)) return &kernels;
  }
  return nullptr;
}

}  // namespace hotpath::hotcold
