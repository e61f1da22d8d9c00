// The CPU kernels of the hot/cold backend, one table of functions per weight format and instruction set.
//
// Two orientations. *Rows* (gate, up, attention, output) are dotted with an activation. *Down* is stored by neuron, so
// that what one neuron adds to the output can be read, or left unread, alone. Packing only moves bytes: weights keep the
// values, scales and rounding of the GGUF file, and activations of quantised formats are rounded as ggml's vec_dot rounds
// them, so that results equal stock llama.cpp's up to the order of summation. For F16 and BF16 they stay floats, which
// ggml rounds too.
//
// Kernels allocate nothing, lock nothing and never fail; what they cannot do is not in the table. `generic` is plain
// C++ and the oracle of all others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ggml.h"

namespace hotpath::hotcold {

enum class Isa { generic, avx2, avx512, avx512_vnni, neon, neon_dotprod };

const char* isa_name(Isa isa);
std::optional<Isa> isa_by_name(std::string_view name);

/// Those this machine can run, the best first; generic is always the last.
std::vector<Isa> usable_isas();

/// Rows in the packed layout, each 64-byte aligned: row i begins at data + i * stride.
struct RowMatrix {
  const uint8_t* data;
  size_t stride;   // bytes
  int64_t n_cols;  // of the unpacked row, a multiple of RowKernels::block
  int64_t n_rows;  // nothing is prefetched beyond them
};

struct RowKernels {
  ggml_type type;
  Isa isa;
  int64_t block;

  /// Packed bytes of one row, a multiple of 64. What rows need in memory beside that (scales apart from quants, padding)
  /// is up to the format.
  size_t (*row_bytes)(int64_t n_cols);
  /// Lossless: `unpack` gives back the bytes of the ggml row.
  void (*pack)(const void* source, int64_t n_cols, void* packed);
  void (*unpack)(const void* packed, int64_t n_cols, void* row);

  /// Packed bytes of one activation vector (quantised, with scales and sums), a multiple of 64.
  size_t (*activation_bytes)(int64_t n_cols);
  void (*pack_activation)(const float* x, int64_t n_cols, void* activation);

  /// out[i] = row(first + i) . activation, for `count` neighbouring rows. The streaming case.
  void (*dot)(const RowMatrix& rows, int64_t first, int64_t count, const void* activation, float* out);
  /// out[i] = row(list[i]) . activation; `list` ascends. Reads no other row. Prefetches the rows to come.
  void (*dot_listed)(const RowMatrix& rows, const int32_t* list, int64_t count, const void* activation, float* out);
  /// out[t * out_stride + i] = row(first + i) . activation t; activation t begins at activations + t * activation_stride
  /// bytes. For prompts: a row is read once for all tokens.
  void (*multiply)(const RowMatrix& rows, int64_t first, int64_t count, const void* activations, size_t activation_stride,
                   int64_t n_tokens, float* out, int64_t out_stride);
  /// As `multiply` for the listed rows only; out[t * out_stride + i] belongs to list[i].
  void (*multiply_listed)(const RowMatrix& rows, const int32_t* list, int64_t count, const void* activations,
                          size_t activation_stride, int64_t n_tokens, float* out, int64_t out_stride);
};

/// Null when the format has no kernels at all. An instruction set without a special kernel borrows the next plainer one.
const RowKernels* row_kernels(ggml_type type, Isa isa);

/// How the scales of a quantised down matrix run.
enum class DownScales {
  across_neurons,  // of an ordinary GGUF: ffn_down {n_ff, n_embd}, blocks along n_ff; transposed by packing, losslessly
  along_output,    // of a matrix that is stored transposed: ffn_down_t {n_embd, n_ff}, blocks along n_embd (PowerInfer)
};

/// Neurons come in groups of `DownKernels::group`: those that share scales. A group's bytes are contiguous, and within
/// them each neuron's quants are.
struct DownMatrix {
  const uint8_t* data;
  size_t group_stride;  // bytes
  int64_t n_embd;
};

struct DownKernels {
  ggml_type type;
  Isa isa;
  DownScales scales;
  int64_t group;          // 32 or 256; n_ff is a multiple
  int64_t embd_multiple;  // n_embd is a multiple of this

  /// A multiple of 64.
  size_t (*group_bytes)(int64_t n_embd);
  /// Lossless. across_neurons: `source` is the ggml matrix, `source_stride` the bytes from one of its n_embd rows to the
  /// next. along_output: the same of its n_ff rows. Packs `n_groups` groups from `first_group` on, one behind the other:
  /// neighbours share the cache lines and pages of a file's rows.
  void (*pack)(const void* source, size_t source_stride, int64_t n_embd, int64_t first_group, int64_t n_groups, void* packed);
  /// One group of them, plainly.
  void (*unpack)(const void* packed, int64_t n_embd, int64_t group_index, void* matrix, size_t matrix_stride);

  /// Floats of one partial sum: n_embd in the order of the outputs, and padding.
  size_t (*partial_floats)(int64_t n_embd);
  /// partial += sum over the group of values[j] * W[neuron j], quantising the `group` values as ggml would. `active` lists
  /// the offsets within the group that are not 0, ascending; only their quants are read.
  void (*accumulate)(const DownMatrix& down, int64_t group_index, const float* values, const int32_t* active,
                     int64_t n_active, float* partial);
  /// Starts reading what `accumulate` will need.
  void (*prefetch)(const DownMatrix& down, int64_t group_index, const int32_t* active, int64_t n_active);
  /// y[e] = sum of the n partials at e, for e in [first, first + count); both multiples of 64 or at the end.
  void (*finish)(const float* partials, int64_t n_partials, size_t partial_stride, int64_t n_embd, int64_t first,
                 int64_t count, float* y);

  /// Packed bytes of the values of `n_groups` groups of one token.
  size_t (*values_bytes)(int64_t n_groups);
  void (*pack_values)(const float* values, int64_t n_groups, void* packed);
  /// y[t * y_stride + e] = sum over the groups [0, n_groups) for e in [first, first + count) (as in `finish`) and each token,
  /// in one fixed order of summation. `values`: packed, token t at values + t * values_stride bytes; `first_group` shifts
  /// the matrix only. Skips groups that are silent for a token. `scratch`: multiply_scratch_bytes, 64-byte aligned.
  void (*multiply)(const DownMatrix& down, int64_t first_group, int64_t n_groups, const void* values, size_t values_stride,
                   int64_t n_tokens, int64_t first, int64_t count, float* y, int64_t y_stride, void* scratch);
  size_t (*multiply_scratch_bytes)(int64_t n_tokens, int64_t count);
};

const DownKernels* down_kernels(ggml_type type, DownScales scales, Isa isa);

}  // namespace hotpath::hotcold
