#include "placement/reader.h"

#include <cstring>

#if defined(__x86_64__) && defined(__GNUC__)
#define HOTPATH_WIDER_LOADS 1
#endif

namespace hotpath {

namespace {

constexpr size_t kLineWords = 8;
constexpr size_t kAheadWords = 512;  // a page: the processor's own prefetchers stop at its end

#if defined(__GNUC__)
#define HOTPATH_ALWAYS_INLINE inline __attribute__((always_inline))
#else
#define HOTPATH_ALWAYS_INLINE inline
#endif

HOTPATH_ALWAYS_INLINE void prefetch_line([[maybe_unused]] const uint64_t* words) {
#if defined(__GNUC__)
  __builtin_prefetch(words);
#endif
}

#if defined(__GNUC__)
/// A cache line; compilers split it into whatever registers the caller's instruction set has.
typedef uint64_t Line __attribute__((vector_size(kLineWords * sizeof(uint64_t))));
#else
struct Line {
  uint64_t words[kLineWords] = {};
  uint64_t operator[](size_t k) const { return words[k]; }
  Line& operator+=(const Line& other) {
    for (size_t k = 0; k < kLineWords; ++k) words[k] += other.words[k];
    return *this;
  }
};
#endif

HOTPATH_ALWAYS_INLINE void add_line(const uint64_t* words, Line& sum) {
  Line line;
  std::memcpy(&line, words, sizeof line);
  sum += line;
}

template <bool asks_ahead>
HOTPATH_ALWAYS_INLINE uint64_t sum_lines(const uint64_t* words, size_t n) {
  Line even = {}, odd = {};
  size_t i = 0;
  for (; i + 2 * kLineWords <= n; i += 2 * kLineWords) {
    if constexpr (asks_ahead) {
      prefetch_line(words + i + kAheadWords);
      prefetch_line(words + i + kAheadWords + kLineWords);
    }
    add_line(words + i, even);
    add_line(words + i + kLineWords, odd);
  }
  uint64_t total = 0;
  for (; i < n; ++i) total += words[i];
  for (size_t k = 0; k < kLineWords; ++k) total += even[k] + odd[k];
  return total;
}

using Sum = uint64_t (*)(const uint64_t*, size_t);

template <bool asks_ahead>
uint64_t sum_plain(const uint64_t* words, size_t n) {
  return sum_lines<asks_ahead>(words, n);
}

#if defined(HOTPATH_WIDER_LOADS)
template <bool asks_ahead>
__attribute__((target("avx2"))) uint64_t sum_avx2(const uint64_t* words, size_t n) {
  return sum_lines<asks_ahead>(words, n);
}
template <bool asks_ahead>
__attribute__((target("avx512f"))) uint64_t sum_avx512(const uint64_t* words, size_t n) {
  return sum_lines<asks_ahead>(words, n);
}
#endif

template <bool asks_ahead>
Sum widest() {
#if defined(HOTPATH_WIDER_LOADS)
  if (__builtin_cpu_supports("avx512f")) return sum_avx512<asks_ahead>;
  if (__builtin_cpu_supports("avx2")) return sum_avx2<asks_ahead>;
#endif
  return sum_plain<asks_ahead>;
}

}  // namespace

uint64_t stream_words(const uint64_t* words, size_t n) {
  static const Sum sum = widest<true>();
  return sum(words, n);
}

uint64_t sum_words(const uint64_t* words, size_t n) {
  static const Sum sum = widest<false>();
  return sum(words, n);
}

void prefetch_words(const uint64_t* words, size_t n) {
  for (size_t i = 0; i < n; i += kLineWords) prefetch_line(words + i);
}

}  // namespace hotpath
