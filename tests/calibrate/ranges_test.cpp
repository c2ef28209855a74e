// SPDX-License-Identifier: Apache-2.0
#include "calibrate/ranges.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "calibrate/detail/bytes.h"
#include "calibrate/samples.h"
#include "core/hash.h"

namespace yoloq::calibrate {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

Ranges some_ranges() {
  Ranges ranges;
  ranges.provenance = {.key = "0123",
                       .model = "abcd",
                       .preprocessing = "letterbox 640",
                       .tool = "yoloq 0.1.0",
                       .images = {"a.jpg", "b.jpg"}};
  ranges.tensors["model.0.conv"] = test::statistics_of({1.5f, -0.25f, 0.0f});
  ranges.tensors["model.1.conv"] = test::statistics_of({-0.0f, -2.0f});
  return ranges;
}

ErrorCode code_of_parsing(std::string_view bytes) {
  return error_of([&] { parse_ranges(bytes); }).code();
}

/// Content with a checksum that is right.
std::string sealed(std::string_view body) { return std::string(body) + hash_of(body); }

std::string body_of(const Ranges& ranges) {
  const std::string bytes = serialize(ranges);
  return bytes.substr(0, bytes.size() - 32);
}

TEST(Ranges, ReadsBackWhatWasWritten) {
  const Ranges ranges = some_ranges();

  EXPECT_EQ(parse_ranges(serialize(ranges)), ranges);
  EXPECT_EQ(parse_ranges(serialize(Ranges())), Ranges());
}

TEST(Ranges, ReadsBackEverySample) {
  Ranges ranges;
  for (const test::Sample& sample : test::kSamples) {
    ranges.tensors[sample.name] = test::statistics_of(sample.values());
  }
  constexpr float kMost = std::numeric_limits<float>::max();
  constexpr float kLeast = std::numeric_limits<float>::denorm_min();
  ranges.tensors["largest"] = test::statistics_of({kMost, -kMost});
  ranges.tensors["smallest"] = test::statistics_of({kLeast, -0.0f});
  ranges.tensors["below zero"] = test::statistics_of({-kLeast, -1.0f});
  ranges.tensors["many"] = repeated(test::statistics_of({1.0f, -3.0f}), 1u << 31);

  EXPECT_EQ(parse_ranges(serialize(ranges)), ranges);
}

TEST(Ranges, SortsTheImages) {
  Ranges shuffled = some_ranges();
  shuffled.provenance.images = {"b.jpg", "a.jpg"};

  EXPECT_EQ(serialize(shuffled), serialize(some_ranges()));
  EXPECT_THAT(parse_ranges(serialize(shuffled)).provenance.images, ElementsAre("a.jpg", "b.jpg"));
}

TEST(Ranges, DetectsAFileThatWasCutShort) {
  const std::string bytes = serialize(some_ranges());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(code_of_parsing(bytes.substr(0, size)), ErrorCode::corrupt_file) << size;
  }
}

TEST(Ranges, DetectsContentThatEndsEarlyBehindARightChecksum) {
  const std::string body = body_of(some_ranges());
  for (std::size_t size = 0; size < body.size(); ++size) {
    EXPECT_EQ(code_of_parsing(sealed(body.substr(0, size))), ErrorCode::corrupt_file) << size;
  }
  EXPECT_EQ(code_of_parsing(sealed(body + "x")), ErrorCode::corrupt_file);
}

TEST(Ranges, DetectsEveryChangedByte) {
  const std::string bytes = serialize(some_ranges());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    const ErrorCode code = code_of_parsing(changed);
    EXPECT_TRUE(code == ErrorCode::corrupt_file || code == ErrorCode::unsupported) << i;
  }
}

TEST(Ranges, SaysThatAnotherFormatVersionIsUnsupported) {
  detail::ByteWriter out;
  out.raw("yoloq-ranges\n");
  out.number(kRangesFormatVersion + 1);

  EXPECT_EQ(code_of_parsing(sealed(out.bytes())), ErrorCode::unsupported);
}

TEST(Ranges, NamesATensorThatIsMissing) {
  const Error error = error_of([] { some_ranges().at("model.9.conv"); });

  EXPECT_EQ(error.code(), ErrorCode::not_found);
  EXPECT_THAT(error.what(), HasSubstr("'model.9.conv'"));
}

/// Statistics that contradict themselves, each written with a right checksum.
TEST(Ranges, RefusesStatisticsThatContradictThemselves) {
  const auto refused = [](auto&& change) {
    Ranges ranges = some_ranges();
    change(ranges.tensors.begin()->second);
    return code_of_parsing(serialize(ranges)) == ErrorCode::corrupt_file;
  };
  using Statistics = TensorStatistics;
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

  EXPECT_TRUE(refused([](Statistics& s) { s.min = 2.0f; }));
  EXPECT_TRUE(refused([](Statistics& s) { s.max = -1.0f; }));
  EXPECT_TRUE(refused([](Statistics& s) { s.max = kNan; }));
  EXPECT_TRUE(refused([](Statistics& s) { s.min = -0.5f; }));  // no value in that bin
  EXPECT_TRUE(refused([](Statistics& s) { s.max = 1.0f; }));   // a value beyond it
  EXPECT_TRUE(refused([](Statistics& s) { s.count = 4; }));
  EXPECT_TRUE(refused([](Statistics& s) { s.channel_sums.clear(); }));
  EXPECT_TRUE(refused([](Statistics& s) { s.channel_sums.resize(2); }));
  EXPECT_TRUE(refused([](Statistics& s) { s = {}; }));
  EXPECT_TRUE(refused([](Statistics& s) {  // wider bins than the values need
    const std::uint64_t none = 0;
    s.histogram.add(s.histogram.exponent() + 1, 0, {&none, 1});
  }));
}

TEST(ByteReader, RefusesNumbersThatAreNotInTheirShortestForm) {
  const auto number = [](std::string_view bytes) {
    return error_of([&] { detail::ByteReader(bytes).number(); }).code();
  };
  using std::string_literals::operator""s;

  EXPECT_EQ(number("\x80\x00"s), ErrorCode::corrupt_file);
  EXPECT_EQ(number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"s), ErrorCode::corrupt_file);
  EXPECT_EQ(number("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x00"s), ErrorCode::corrupt_file);
  EXPECT_EQ(detail::ByteReader("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s).number(),
            std::numeric_limits<std::uint64_t>::max());
}

}  // namespace
}  // namespace yoloq::calibrate
