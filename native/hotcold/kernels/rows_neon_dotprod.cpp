#include "hotcold/kernels/rows_simd.h"
#include "hotcold/kernels/rows_table.h"
#include "hotcold/kernels/simd_neon_dotprod.h"

namespace hotpath::hotcold {

void fill_row_kernels_neon_dotprod(RowKernels& kernels) { fill_for<NeonDotprod>(kernels); }

}  // namespace hotpath::hotcold
