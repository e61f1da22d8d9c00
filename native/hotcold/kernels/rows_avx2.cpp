#include "hotcold/kernels/rows_simd.h"
#include "hotcold/kernels/rows_table.h"
#include "hotcold/kernels/simd_avx2.h"

namespace hotpath::hotcold {

void fill_row_kernels_avx2(RowKernels& kernels) { fill_for<Avx2>(kernels); }

}  // namespace hotpath::hotcold
