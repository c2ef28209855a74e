// SPDX-License-Identifier: Apache-2.0
#include "runtime/cpu.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace yoloq::runtime {
namespace {

#if defined(__x86_64__) && defined(__linux__)

/// Linux lists a flag where the CPU has the instructions and the kernel saves their registers.
bool kernel_lists(const std::string& wanted) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with("flags")) continue;
    std::istringstream flags(line);
    for (std::string flag; flags >> flag;) {
      if (flag == wanted) return true;
    }
    return false;
  }
  return false;
}

TEST(Cpu, HasADotProductWhereTheKernelListsOne) {
  EXPECT_EQ(has_int8_dot_product(), kernel_lists("avx512_vnni") || kernel_lists("avx_vnni"));
}

#endif

}  // namespace
}  // namespace yoloq::runtime
