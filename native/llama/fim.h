// Which fill-in-the-middle format a model was trained with: its special tokens and the order of the parts.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/gguf_header.h"

namespace hotpath {

/// psm `<pre>P<suf>S<mid>`, spm `<suf>S<pre>P<mid>`, spm2 `<pre><suf>S<mid>P` (Bavarian et al. 2022, section 3);
/// prefix `P`: of a model that was never trained to fill in, which does not see what follows the cursor.
enum class FimOrder { psm, spm, spm2, prefix };

const char* fim_order_text(FimOrder order);

constexpr int32_t kNoToken = -1;

struct FimFormat {
  FimOrder order;
  std::string source;  // family the order comes from, or "metadata"
  int32_t prefix;
  int32_t suffix;
  int32_t middle;  // kNoToken: the format has none
};

/// For models without such tokens: what follows the cursor is not seen.
FimFormat prefix_only();

/// Nothing when the vocabulary has no such tokens; an error when the header contradicts itself.
Result<std::optional<FimFormat>> find_fim_format(const ByteSource& source, const GgufHeader& header);

}  // namespace hotpath
