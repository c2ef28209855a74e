// SPDX-License-Identifier: Apache-2.0
#include "search/journal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numbers>

#include "core/error.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::search {
namespace {

using testing::HasSubstr;

class JournalTest : public testing::Test {
 protected:
  Journal open(const std::string& subject = "s") const { return {path(), subject}; }
  std::filesystem::path path() const { return folder_ / "journal.jsonl"; }

  /// What opening the journal says.
  std::string refusal(const std::string& subject = "s") const {
    try {
      open(subject);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  test::TemporaryFolder folder_;
};

TEST_F(JournalTest, AsksOnceAndRemembers) {
  int asked = 0;
  const auto pi = [&] {
    ++asked;
    return std::numbers::pi;
  };
  Journal first = open();
  first.number("pi", pi);
  EXPECT_EQ(first.number("pi", pi), std::numbers::pi);
  Journal second = open();

  EXPECT_EQ(second.seconds(), 0);
  EXPECT_EQ(second.number("pi", pi), std::numbers::pi);
  EXPECT_EQ(second.number("pi", pi), std::numbers::pi);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(second.recalled(), 1U);
  EXPECT_DOUBLE_EQ(second.seconds(), first.seconds());
}

TEST_F(JournalTest, DropsALineThatWasCutShort) {
  open().answer("a", [] { return "1"; });
  const std::string whole = read_file(path());
  open().answer("b", [] { return "2"; });
  const std::string all = read_file(path());
  for (std::size_t length = whole.size(); length < all.size(); ++length) {
    write_file(path(), all.substr(0, length));
    Journal journal = open();
    EXPECT_EQ(journal.recalled(), 1U) << length;
    EXPECT_EQ(journal.answer("b", [] { return "3"; }), "3");
    EXPECT_EQ(open().recalled(), 2U) << length;
  }
}

TEST_F(JournalTest, BeginsAnewWhereTheFirstLineWasCutShort) {
  write_file(path(), R"({"format":"yoloq sea)");

  Journal journal = open();
  journal.answer("a", [] { return "1"; });

  EXPECT_EQ(open().recalled(), 1U);
}

TEST_F(JournalTest, AFailedMeasurementLeavesNoAnswer) {
  Journal journal = open();
  EXPECT_THROW(journal.answer("a", []() -> std::string { fail(ErrorCode::cancelled, "no"); }),
               Error);

  EXPECT_EQ(open().recalled(), 0U);
}

TEST_F(JournalTest, RefusesAnotherSubject) {
  open("one");

  EXPECT_THAT(refusal("two"), HasSubstr("is of a search of another model"));
}

TEST_F(JournalTest, RefusesOtherFiles) {
  write_file(path(), "{\"format\":\"something else\"}\n");
  EXPECT_THAT(refusal(), HasSubstr("no search journal of version 1"));

  write_file(path(), "{\"format\":\"yoloq search journal\",\"version\":2,\"subject\":\"s\"}\n");
  EXPECT_THAT(refusal(), HasSubstr("no search journal of version 1"));
}

TEST_F(JournalTest, NamesABrokenLine) {
  open().answer("a", [] { return "1"; });
  write_file(path(), read_file(path()) + "{\"question\": 1}\n");

  EXPECT_THAT(refusal(), HasSubstr("line 3"));
}

}  // namespace
}  // namespace yoloq::search
