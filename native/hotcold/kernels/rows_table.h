// What the files of the row kernels owe each other: each instruction set sets pack_activation, dot, dot_listed, multiply
// and multiply_listed for `kernels.type`; the packing sets the rest.
#pragma once

#include "hotcold/kernels/kernels.h"

namespace hotpath::hotcold {

void fill_row_packing(RowKernels& kernels);

void fill_row_kernels_generic(RowKernels& kernels);
void fill_row_kernels_avx2(RowKernels& kernels);
void fill_row_kernels_avx512(RowKernels& kernels);
void fill_row_kernels_avx512_vnni(RowKernels& kernels);
void fill_row_kernels_neon(RowKernels& kernels);
void fill_row_kernels_neon_dotprod(RowKernels& kernels);

}  // namespace hotpath::hotcold
