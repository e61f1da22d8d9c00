#include "hotcold/kernels/rows_simd.h"
#include "hotcold/kernels/rows_table.h"
#include "hotcold/kernels/simd_avx512_vnni.h"

namespace hotpath::hotcold {

void fill_row_kernels_avx512_vnni(RowKernels& kernels) { fill_for<Avx512Vnni>(kernels); }

}  // namespace hotpath::hotcold
