#include "hotcold/kernels/rows_simd.h"
#include "hotcold/kernels/rows_table.h"
#include "hotcold/kernels/simd_avx512.h"

namespace hotpath::hotcold {

void fill_row_kernels_avx512(RowKernels& kernels) { fill_for<Avx512>(kernels); }

}  // namespace hotpath::hotcold
