// SPDX-License-Identifier: Apache-2.0
#include "runtime/cpu.h"

#if defined(__x86_64__)
#include <cpuid.h>

#include <cstdint>
#endif

namespace yoloq::runtime {

#if defined(__x86_64__)

namespace {

struct Registers {
  unsigned eax = 0;
  unsigned ebx = 0;
  unsigned ecx = 0;
  unsigned edx = 0;
};

Registers cpuid(unsigned leaf, unsigned sub_leaf) {
  Registers r;
  if (__get_cpuid_count(leaf, sub_leaf, &r.eax, &r.ebx, &r.ecx, &r.edx) == 0) return {};
  return r;
}

/// XCR0: the register sets that the operating system saves.
std::uint64_t saved_registers() {
  constexpr unsigned kOsXsave = 1u << 27;
  if ((cpuid(1, 0).ecx & kOsXsave) == 0) return 0;
  unsigned low = 0;
  unsigned high = 0;
  asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

}  // namespace

bool has_int8_dot_product() {
  constexpr std::uint64_t kAvx = 0b110;           // XMM and YMM.
  constexpr std::uint64_t kAvx512 = 0b1110'0110;  // And opmask, ZMM.
  constexpr unsigned kAvx512Vnni = 1u << 11;      // Leaf 7, sub-leaf 0, ECX.
  constexpr unsigned kAvxVnni = 1u << 4;          // Leaf 7, sub-leaf 1, EAX.
  const std::uint64_t saved = saved_registers();
  const Registers leaf = cpuid(7, 0);
  if ((leaf.ecx & kAvx512Vnni) != 0 && (saved & kAvx512) == kAvx512) return true;
  if (leaf.eax < 1) return false;  // No sub-leaf 1.
  return (cpuid(7, 1).eax & kAvxVnni) != 0 && (saved & kAvx) == kAvx;
}

#else

bool has_int8_dot_product() { return true; }

#endif

}  // namespace yoloq::runtime
