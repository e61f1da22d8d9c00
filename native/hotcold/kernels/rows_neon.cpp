#include "hotcold/kernels/rows_simd.h"
#include "hotcold/kernels/rows_table.h"
#include "hotcold/kernels/simd_neon.h"

namespace hotpath::hotcold {

void fill_row_kernels_neon(RowKernels& kernels) { fill_for<Neon>(kernels); }

}  // namespace hotpath::hotcold
