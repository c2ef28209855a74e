// SPDX-License-Identifier: Apache-2.0
#include "core/shared_library.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/message.h"

namespace yoloq {
namespace {

using test::message_when;
using testing::AllOf;
using testing::HasSubstr;

TEST(SharedLibrary, TakesTheFirstThatIsThere) {
  const SharedLibrary library("the C library", {"libno-such-thing.so.1", "libc.so.6"});
  auto* const absolute = library.find<int(int)>("abs");
  EXPECT_EQ(absolute(-3), 3);
}

TEST(SharedLibrary, SaysWhoseIsMissing) {
  EXPECT_THAT(message_when([] { SharedLibrary("what nobody has", {"libno-such-thing.so.1"}); }),
              AllOf(HasSubstr("what nobody has cannot be opened"),
                    HasSubstr("libno-such-thing.so.1"), HasSubstr("LD_LIBRARY_PATH")));
}

TEST(SharedLibrary, SaysWhichFunctionItDoesNotHave) {
  const SharedLibrary library("the C library", {"libc.so.6"});
  EXPECT_THAT(message_when([&] { library.find<void()>("no_such_function"); }),
              AllOf(HasSubstr("the C library"), HasSubstr("'no_such_function'")));
}

}  // namespace
}  // namespace yoloq
