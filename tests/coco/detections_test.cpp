// SPDX-License-Identifier: Apache-2.0
#include "coco/detections.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <string_view>

#include "coco/detail/byte_source.h"
#include "coco/detail/read_blocks.h"
#include "coco/random_case.h"
#include "core/error.h"
#include "core/file.h"
#include "support/data.h"

namespace yoloq::coco {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kOne =
    R"([{"image_id": 139, "category_id": 72, "bbox": [3.5, 164, 152.25, 1e2], "score": 0.5}])";

std::string one_with(std::string_view old_text, std::string_view new_text) {
  std::string json(kOne);
  const std::size_t place = json.find(old_text);
  EXPECT_NE(place, json.npos) << old_text;
  return json.replace(place, old_text.size(), new_text);
}

std::string detections_message(std::string_view json) {
  try {
    parse_detections(json);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_file);
    return error.what();
  }
  return "nothing was thrown";
}

/// Finite doubles of any exponent, among them subnormal ones and both zeros.
std::vector<Detection> odd_numbers(std::size_t count) {
  std::mt19937_64 engine(5);
  const auto draw = [&] {
    for (;;) {
      const auto value = std::bit_cast<double>(static_cast<std::uint64_t>(engine()));
      if (std::isfinite(value)) return value;
    }
  };
  std::vector<Detection> detections;
  for (std::size_t i = 0; i < count; ++i) {
    detections.push_back({static_cast<std::int64_t>(engine()),
                          static_cast<std::int64_t>(i),
                          {draw(), 5e-324, -0.0, std::numeric_limits<double>::max()},
                          draw()});
  }
  return detections;
}

TEST(Detections, AreReadInAnyOrderOfFields) {
  const Detection expected{139, 72, {3.5, 164, 152.25, 100}, 0.5};

  EXPECT_THAT(parse_detections(kOne), ElementsAre(expected));
  EXPECT_THAT(parse_detections(R"([ {"score":0.5, "extra":[{"a":"},{"}], "bbox":[3.5,164,152.25,
      100], "category\u005fid":72, "image_id":1.39e2} ] )"),
              ElementsAre(expected));
  EXPECT_THAT(parse_detections("[]"), IsEmpty());
}

TEST(Detections, WithBrokenTextUnderAKeyThatIsNotReadAreRefused) {
  const auto with_extra = [](std::string_view extra) {
    return one_with("\"score\"", "\"extra\": " + std::string(extra) + ", \"score\"");
  };
  for (const std::string_view broken :
       {"[1, 2", "{\"a\": 1", "{1: 2}", "[1 2]", "\"\\q\"", "yes", "nul", "1-2", "0x1", "1.", "01",
        "1e", "+1", ".5", "-", "[}", "]"}) {
    EXPECT_THAT(detections_message(with_extra(broken)), HasSubstr("not valid JSON")) << broken;
  }
  EXPECT_THAT(detections_message(with_extra(std::string(300, '[') + std::string(300, ']'))),
              HasSubstr("nested deeper than 256"));
  EXPECT_EQ(parse_detections(with_extra(std::string(100000, '7'))), parse_detections(kOne));
  for (const std::string_view good :
       {"[1, [{}, []]]", "{\"a\": {\"b\": null}}", "1e999", "-0.5E+400", "true", "NaN",
        "[-Infinity]", "\"\\u00e9\"", "\"},{\""}) {
    EXPECT_EQ(parse_detections(with_extra(good)), parse_detections(kOne)) << good;
  }
}

TEST(Detections, ReadBackEveryBitThatWasWritten) {
  const test::TemporaryFolder folder;
  const auto detections = odd_numbers(2000);

  write_detections(folder / "detections.json", detections);
  const auto read = read_detections(folder / "detections.json");

  EXPECT_EQ(read, detections);
  EXPECT_TRUE(std::signbit(read.at(0).bbox[2]));
  EXPECT_THAT(parse_detections(to_json(std::vector<Detection>{})), IsEmpty());
}

TEST(Detections, AreWrittenAsShortAsTheyReadBack) {
  const Detection detection{1, 2, {0.1, 30, 1e22, 5}, 0.25};

  EXPECT_EQ(to_json(std::span(&detection, 1)),
            "[\n{\"image_id\":1,\"category_id\":2,\"bbox\":[0.1,30,1e+22,5],\"score\":0.25}\n]\n");
}

TEST(Detections, ThatJsonCannotSayAreNotWritten) {
  const test::TemporaryFolder folder;
  write_file(folder / "detections.json", "old");
  std::vector<Detection> detections(3);
  detections[2].bbox[1] = std::numeric_limits<double>::quiet_NaN();

  try {
    write_detections(folder / "detections.json", detections);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::bad_value);
    EXPECT_THAT(error.what(), HasSubstr("detection 2"));
  }
  EXPECT_EQ(read_file(folder / "detections.json"), "old");
}

TEST(Detections, NameTheFieldThatIsMissingOrWrongAndTheIndex) {
  EXPECT_EQ(detections_message(one_with("\"score\"", "\"confidence\"")),
            "[0]: the field 'score' is missing");
  EXPECT_EQ(detections_message(one_with("\"bbox\"", "\"box\"")),
            "[0]: the field 'bbox' is missing");
  EXPECT_EQ(detections_message("[" + std::string(kOne.substr(1, kOne.size() - 2)) + ",{}]"),
            "[1]: the field 'image_id' is missing");
  EXPECT_EQ(detections_message(one_with("139", "\"a\"")),
            "[0].image_id: expected an integer, found \"a\"");
  EXPECT_EQ(detections_message(one_with("0.5", "NaN")),
            "[0].score: expected a finite number, found NaN");
  EXPECT_EQ(detections_message(one_with("0.5", "-1e400")),
            "[0].score: expected a finite number, found -1e400");
  EXPECT_EQ(detections_message(one_with("164", "null")),
            "[0].bbox: expected a finite number, found null");
  EXPECT_EQ(detections_message(one_with("164,", "")), "[0].bbox: expected 4 numbers, found 3");
  EXPECT_EQ(detections_message("[1]"), "[0]: expected an object");
  EXPECT_EQ(detections_message("{}"), "expected a list of detections, found something else");
}

TEST(Detections, AreRefusedWhereTheTextIsNotJson) {
  for (std::size_t size = 0; size < kOne.size(); ++size) {
    EXPECT_THAT(detections_message(kOne.substr(0, size)),
                testing::AnyOf(HasSubstr("not valid JSON"), HasSubstr("expected")))
        << size;
  }
  EXPECT_THAT(detections_message(std::string(kOne) + kOne.data()), HasSubstr("not valid JSON"));
  EXPECT_THAT(detections_message(std::string(kOne) + "]"), HasSubstr("not valid JSON"));
  EXPECT_THAT(detections_message(std::string(5000, '[')), HasSubstr("not valid JSON"));
  EXPECT_THAT(detections_message(std::string(5000, '[') + std::string(5000, ']')),
              HasSubstr("[0]: expected an object"));
}

TEST(Detections, NameTheFileInAnError) {
  const test::TemporaryFolder folder;
  write_file(folder / "cut.json", kOne.substr(0, 20));

  try {
    read_detections(folder / "cut.json");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("cut.json: not valid JSON"));
  }
  try {
    read_detections(folder / "none.json");
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
  }
  EXPECT_THROW(read_detections(folder.path()), Error);
}

TEST(ReadBlocks, GivesTheSameForAnyBlockSize) {
  const auto detections = odd_numbers(300);
  const std::string json = to_json(detections);

  for (const std::size_t block_size : {1u, 50u, 999u, 4096u, 1u << 20}) {
    EXPECT_EQ(detail::read_blocks(detail::ByteSource(std::string_view(json)), block_size),
              detections)
        << block_size;
  }
}

TEST(ReadBlocks, IsNotMisledByBracesInStringsAndNestedLists) {
  std::string json = "[";
  for (int i = 0; i < 40; ++i) {
    json += i == 0 ? "" : " \n, ";
    json += R"({"note": "},{", "quote": "\"},{\"", "nested": [{"score": 7},{"score": 8}, {"a": {}
      }, {}], "image_id": 1, "category_id": 2, "bbox": [1, 2, 3, 4], "score": 0.5})";
  }
  json += "]";
  const Detection expected{1, 2, {1, 2, 3, 4}, 0.5};

  for (std::size_t block_size = 1; block_size < 400; block_size += 7) {
    const auto read = detail::read_blocks(detail::ByteSource(std::string_view(json)), block_size);
    EXPECT_EQ(read, std::vector<Detection>(40, expected)) << block_size;
  }
}

TEST(ReadBlocks, NamesTheIndexInTheWholeFile) {
  std::vector<Detection> detections(100);
  std::string json = to_json(detections);
  json.replace(json.rfind("score"), 5, "scare");

  try {
    detail::read_blocks(detail::ByteSource(std::string_view(json)), 256);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "[99]: the field 'score' is missing");
  }
}

}  // namespace
}  // namespace yoloq::coco
