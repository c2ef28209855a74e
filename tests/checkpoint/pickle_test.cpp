// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/pickle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>

#include "checkpoint/detail/numpy.h"
#include "core/error.h"
#include "core/file.h"
#include "support/data.h"
#include "support/pickle_writer.h"

namespace yoloq::checkpoint::pickle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

View root(const Document& document) { return {document, document.root()}; }

std::vector<std::optional<std::int64_t>> integers(const View& list) {
  std::vector<std::optional<std::int64_t>> result;
  for (std::size_t i = 0; i < list.size(); ++i) result.push_back(list.at(i).integer());
  return result;
}

/// What make_pickles.py wrote.
void expect_value(const View& value) {
  constexpr auto kLowest = std::numeric_limits<std::int64_t>::min();
  const View numbers = value.get("numbers");
  EXPECT_THAT(integers(numbers),
              ElementsAre(0, 1, 255, 256, 65535, 65536, -1, -(1LL << 31), 1LL << 31, 1LL << 40,
                          kLowest, std::nullopt, std::nullopt));
  EXPECT_EQ(numbers.at(11).real(), 2.5);
  EXPECT_TRUE(std::signbit(numbers.at(12).real().value_or(1)));
  EXPECT_EQ(value.get("huge").integer(), std::nullopt);

  const View words = value.get("words");
  EXPECT_TRUE(words.at(0).is_none());
  EXPECT_EQ(words.at(1).boolean(), true);
  EXPECT_EQ(words.at(2).boolean(), false);
  EXPECT_EQ(words.at(3).text(), "");
  EXPECT_EQ(words.at(4).text(), "short");
  EXPECT_EQ(words.at(5).text().value_or("").size(), 600u);
  EXPECT_EQ(words.at(6).text(), std::string(70000, 'x'));

  const View tuples = value.get("tuples");
  for (std::size_t i = 0; i < 5; ++i) EXPECT_EQ(tuples.at(i).size(), i);
  EXPECT_THAT(integers(tuples.at(4)), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(value.get("ordered").get("a").integer(), 2);
  EXPECT_EQ(value.get("default").get("k").at(0).integer(), 1);
  EXPECT_EQ(value.get("shared").at(0).identity(), value.get("shared").at(1).identity());
  EXPECT_EQ(value.get("many").size(), 2500u);
  EXPECT_EQ(value.get("many").at(2499).integer(), 2499);
  EXPECT_EQ(value.get("thing").made_by(), "models.common.Thing");
  EXPECT_EQ(value.get("thing").state().get("weight").integer(), 3);
  EXPECT_EQ(value.get("class").name(), "models.common.Thing");
  EXPECT_EQ(numpy::real_from(value.get("scalar32")), 1.5);
  EXPECT_EQ(numpy::integer_from(value.get("scalar64")), -5);
  EXPECT_THAT(numpy::array_from(value.get("array")).to_floats(), ElementsAre(1, 2, 3, 4, 5, 250));
  EXPECT_EQ(numpy::array_from(value.get("array")).shape(), (Shape{2, 3}));
}

TEST(Pickle, ReadsWhatPythonWritesInEveryProtocol) {
  const test::TemporaryFolder folder;
  const auto run = test::run_python("tests/checkpoint/make_pickles.py", {folder.path().string()});
  ASSERT_EQ(run.status, 0) << run.errors;

  for (const char* kind : {"protocol", "optimized"}) {
    for (int protocol = 2; protocol <= 5; ++protocol) {
      SCOPED_TRACE(kind + std::to_string(protocol));
      const Document document(
          read_file(folder / (kind + "-"s + std::to_string(protocol) + ".pkl")));

      expect_value(root(document));
      if (protocol >= 3) {  // Earlier ones have no bytes, and call a codec instead.
        EXPECT_EQ(root(document).get("bytes").at(1).bytes(), "\x00\xff"s);
      }
      if (protocol >= 4) {  // Earlier ones call set().
        EXPECT_EQ(root(document).get("set").at(0).integer(), 7);
        EXPECT_EQ(root(document).get("frozen").at(0).integer(), 8);
      }
    }
  }
}

TEST(Pickle, KeepsACallAsItsNameAndArguments) {
  const Document document(test::pickle_document(test::pickle_call(
      test::pickle_global("os", "system"), {test::pickle_text("touch /tmp/called")})));

  EXPECT_EQ(root(document).made_by(), "os.system");
  EXPECT_EQ(root(document).arguments().at(0).text(), "touch /tmp/called");
  EXPECT_EQ(root(document).describe(), "an object made by os.system");
}

TEST(Pickle, TheLastOfTwoEqualKeysWins) {
  const Document document(test::pickle_document(
      test::pickle_attributes({{"a", test::pickle_integer(1)}, {"a", test::pickle_integer(2)}})));

  EXPECT_EQ(root(document).get("a").integer(), 2);
  EXPECT_TRUE(root(document).get("b").is_none());
}

TEST(Pickle, AnswersOfTheWrongTypeAreAbsent) {
  const Document document(test::pickle_document(test::pickle_text("word")));

  EXPECT_EQ(root(document).integer(), std::nullopt);
  EXPECT_EQ(root(document).real(), std::nullopt);
  EXPECT_EQ(root(document).boolean(), std::nullopt);
  EXPECT_EQ(root(document).bytes(), std::nullopt);
  EXPECT_EQ(root(document).size(), 0u);
  EXPECT_TRUE(root(document).at(0).is_none());
  EXPECT_TRUE(root(document).get("x").is_none());
  EXPECT_TRUE(root(document).key(0).is_none());
  EXPECT_EQ(root(document).made_by(), "");
  EXPECT_EQ(root(document).name(), "");
}

TEST(Pickle, NestsAsDeepAsTheFileIsLong) {
  constexpr std::size_t kDepth = 300'000;
  const Document lists("\x80\x02" + std::string(kDepth, ']') + std::string(kDepth - 1, 'a') + ".");
  const Document tuples("\x80\x02N" + std::string(kDepth, '\x85') + ".");

  EXPECT_EQ(root(lists).size(), 1u);
  EXPECT_EQ(root(tuples).size(), 1u);
}

TEST(Pickle, AnObjectMayHoldItself) {
  const Document document(
      "\x80\x02]q\x00h\x00"
      "a."s);

  EXPECT_EQ(root(document).at(0).identity(), root(document).identity());
}

TEST(Pickle, SharingTakesNoMemory) {
  std::string bomb = "\x80\x02]q\x00"s;  // Each list holds the one before ten times: 10^100 in all.
  for (int i = 0; i < 100; ++i) {
    bomb += "](";
    for (int k = 0; k < 10; ++k) bomb += "h"s + static_cast<char>(i);
    bomb += "eq"s + static_cast<char>(i + 1);
  }
  const Document document(bomb + ".");

  EXPECT_EQ(root(document).size(), 10u);
}

TEST(Pickle, RefusesMoreObjectsThanACheckpointHas) {
  EXPECT_THROW(Document("\x80\x02" + std::string(2'100'000, ']') + "."), Error);
}

struct Damage {
  const char* name;
  std::string bytes;
  const char* says;
};

void PrintTo(const Damage& row, std::ostream* out) { *out << row.name; }

class PickleRefuses : public testing::TestWithParam<Damage> {};

TEST_P(PickleRefuses, AndSaysWhere) {
  try {
    const Document document(GetParam().bytes);
    FAIL() << "it was read";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("offset"));
    EXPECT_THAT(error.what(), HasSubstr(GetParam().says));
  }
}

const Damage kDamages[] = {
    {"Empty", "", "ends in the middle"},
    {"NoStop", "\x80\x02]", "ends in the middle"},
    {"NothingOnTheStack", "\x80\x02.", "takes more values"},
    {"UnknownOpcode", "\x80\x02\xff.", "not an opcode"},
    {"TextOpcode", "I01\n.", "not an opcode"},
    {"Extension", "\x80\x02\x82\x01.", "not an opcode"},
    {"LaterProtocol", "\x80\x06N.", "protocol 6"},
    {"CutNumber", "\x80\x02J\x01\x02", "ends in the middle"},
    {"CutText",
     "\x80\x02X\xff\xff\xff\x7f"
     "abc.",
     "ends in the middle"},
    {"CutTextOf64Bits",
     "\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xff"
     "abc.",
     "ends in the middle"},
    {"CutLong", "\x80\x02\x8a\x08\x01.", "ends in the middle"},
    {"NegativeLength", "\x80\x02\x8b\xff\xff\xff\xff.", "ends in the middle"},
    {"CutName",
     "\x80\x02"
     "cos",
     "ends in the middle"},
    {"MemoNeverWritten", "\x80\x02h\x07.", "memo 7"},
    {"RememberNothing", "\x80\x02q\x00"s, "no value to remember"},
    {"NoMark",
     "\x80\x02"
     "Nt.",
     "no mark"},
    {"MarkInTheWay", "\x80\x02N(a.", "takes more values"},
    {"AppendToANumber", "\x80\x02K\x01Na.", "adds to a value that holds none"},
    {"AppendToADict", "\x80\x02}Na.", "another kind"},
    {"SetItemOfAList", "\x80\x02]NNs.", "another kind"},
    {"KeyWithoutValue", "\x80\x02}(Nu.", "no value"},
    {"BuildANumber", "\x80\x02K\x01}b.", "adds to a value that holds none"},
    {"NameThatIsNoText", "\x80\x04K\x01K\x02\x93.", "not text"},
    {"DuplicateOfNothing",
     "\x80\x02"
     "2.",
     "takes more values"},
};

INSTANTIATE_TEST_SUITE_P(, PickleRefuses, testing::ValuesIn(kDamages));

TEST(Pickle, RefusesEveryTruncationOfAFile) {
  const std::string whole = test::pickle_document(test::pickle_attributes(
      {{"list", test::pickle_list({test::pickle_real(1.5), test::pickle_none()})},
       {"call", test::pickle_call(test::pickle_global("a", "b"), {test::pickle_boolean(true)})}}));

  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_THROW(Document(whole.substr(0, size)), Error) << size;
  }
}

}  // namespace
}  // namespace yoloq::checkpoint::pickle
