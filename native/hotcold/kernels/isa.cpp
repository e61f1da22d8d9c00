// Which instruction sets this machine and its operating system can run.
#include "hotcold/kernels/kernels.h"

#if defined(__x86_64__) || defined(_M_X64)
#ifdef _MSC_VER
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#elif defined(__linux__) && defined(__aarch64__)
#include <sys/auxv.h>
#elif defined(_WIN32)
#include <windows.h>
#endif

namespace hotpath::hotcold {

namespace {

constexpr Isa kAll[] = {Isa::avx512_vnni, Isa::avx512, Isa::avx2, Isa::neon_dotprod, Isa::neon, Isa::generic};

#if defined(__x86_64__) || defined(_M_X64)

struct Registers {
  uint32_t eax, ebx, ecx, edx;
};

Registers cpuid(int leaf, int subleaf) {
  Registers r{};
#ifdef _MSC_VER
  __cpuidex(reinterpret_cast<int*>(&r), leaf, subleaf);
#else
  __cpuid_count(leaf, subleaf, r.eax, r.ebx, r.ecx, r.edx);
#endif
  return r;
}

/// The register files that the operating system saves when it switches threads.
uint32_t saved_state() {
#ifdef _MSC_VER
  return static_cast<uint32_t>(_xgetbv(0));
#else
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
#endif
}

bool has(uint32_t bits, uint32_t wanted) { return (bits & wanted) == wanted; }

bool usable(Isa isa) {
  if (isa == Isa::generic) return true;
  if (isa == Isa::neon || isa == Isa::neon_dotprod || cpuid(0, 0).eax < 7) return false;
  const Registers basic = cpuid(1, 0);
  const Registers extended = cpuid(7, 0);
  constexpr uint32_t kFma = 1u << 12, kOsxsave = 1u << 27, kAvx = 1u << 28, kF16c = 1u << 29;
  constexpr uint32_t kAvx2 = 1u << 5, kF = 1u << 16, kDq = 1u << 17, kBw = 1u << 30, kVl = 1u << 31;
  constexpr uint32_t kVnni = 1u << 11;
  constexpr uint32_t kYmmState = 0x06, kZmmState = 0xE6;
  if (!has(basic.ecx, kFma | kOsxsave | kAvx | kF16c) || !has(extended.ebx, kAvx2)) return false;
  if (isa == Isa::avx2) return has(saved_state(), kYmmState);
  if (!has(extended.ebx, kF | kDq | kBw | kVl) || !has(saved_state(), kZmmState)) return false;
  return isa == Isa::avx512 || has(extended.ecx, kVnni);
}

#elif defined(__aarch64__) || defined(_M_ARM64)

bool usable(Isa isa) {
  if (isa == Isa::generic || isa == Isa::neon) return true;
  if (isa != Isa::neon_dotprod) return false;
#if defined(__linux__)
  constexpr unsigned long kHwcapAsimdDp = 1ul << 20;
  return (getauxval(AT_HWCAP) & kHwcapAsimdDp) != 0;
#elif defined(_WIN32)
  constexpr DWORD kDotProductAvailable = 43;  // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
  return IsProcessorFeaturePresent(kDotProductAvailable) != 0;
#else
  return true;  // every Apple processor that runs macOS has it
#endif
}

#else

bool usable(Isa isa) { return isa == Isa::generic; }

#endif

}  // namespace

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::generic: return "generic";
    case Isa::avx2: return "avx2";
    case Isa::avx512: return "avx512";
    case Isa::avx512_vnni: return "avx512_vnni";
    case Isa::neon: return "neon";
    case Isa::neon_dotprod: return "neon_dotprod";
  }
  return "";
}

std::optional<Isa> isa_by_name(std::string_view name) {
  for (const Isa isa : kAll) {
    if (name == isa_name(isa)) return isa;
  }
  return std::nullopt;
}

std::vector<Isa> usable_isas() {
  std::vector<Isa> isas;
  for (const Isa isa : kAll) {
    if (usable(isa)) isas.push_back(isa);
  }
  return isas;
}

}  // namespace hotpath::hotcold
