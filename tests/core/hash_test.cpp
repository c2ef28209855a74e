// SPDX-License-Identifier: Apache-2.0
#include "core/hash.h"

#include <gtest/gtest.h>

namespace yoloq {
namespace {

TEST(Hash, DependsOnWhereFieldsEnd) {
  const std::string split_late = Hasher().add("ab").add("c").hex();
  const std::string split_early = Hasher().add("a").add("bc").hex();

  EXPECT_NE(split_late, split_early);
}

TEST(Hash, IsTheSameForTheSameFields) {
  EXPECT_EQ(Hasher().add("weights").add("images").hex(),
            Hasher().add("weights").add("images").hex());
  EXPECT_EQ(hash_of("weights").size(), 32u);
}

}  // namespace
}  // namespace yoloq
