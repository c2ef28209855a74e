// SPDX-License-Identifier: Apache-2.0
// Which kernels a build tries, and the file of their times, on a fake TensorRT.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "core/error.h"
#include "core/file.h"
#include "runtime/tensorrt/detail/version.h"
#include "runtime/tensorrt/fake_tensorrt.h"
#include "support/data.h"

namespace yoloq::runtime::tensorrt {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class TensorRtTimingCache : public FakeTensorRt {
 protected:
  std::filesystem::path cache() const { return folder_ / "times"; }

  void build() const {
    compile(graph::parse(kDoubles), {.gpu = {.shapes = profile(), .timing_cache = cache()}});
  }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(TensorRtTimingCache, IsWrittenByABuildAndTakenByTheNext) {
  build();
  EXPECT_EQ(fake().timing_cache, test::kFakeTime);
  EXPECT_THAT(read_file(cache()), HasSubstr(test::kFakeTime));

  fake().timing_cache.clear();
  build();
  EXPECT_EQ(fake().timing_cache, fmt::format("{0}{0}", test::kFakeTime));
}

TEST_F(TensorRtTimingCache, IsLeftAloneByABuildThatFails) {
  build();
  const std::string before = read_file(cache());
  fake().builds = false;

  EXPECT_THROW(build(), Error);

  EXPECT_EQ(read_file(cache()), before);
}

TEST_F(TensorRtTimingCache, OfAnotherTensorRtOrGpuIsRefused) {
  build();
  std::string content = read_file(cache());
  const auto at = content.find("Fake GPU");
  ASSERT_NE(at, std::string::npos);
  write_file(cache(), content.replace(at, 4, "Real"));

  expect(ErrorCode::unsupported, AllOf(HasSubstr(cache().string()), HasSubstr("Real GPU")),
         [&] { build(); });
}

TEST_F(TensorRtTimingCache, ThatIsNoneOrIsDamagedIsRefusedAndKept) {
  build();
  std::string damaged = read_file(cache());
  damaged.back() ^= 1;
  for (const std::string& content : {std::string("garbage"), std::string(), damaged}) {
    write_file(cache(), content);

    expect(ErrorCode::corrupt_file, HasSubstr(cache().string()), [&] { build(); });

    EXPECT_EQ(read_file(cache()), content);
  }
}

TEST_F(TensorRtTimingCache, ThatTensorRtDoesNotTakeIsAnErrorInItsWords) {
  fake().error = "device properties differ";
  fake().takes_timing_cache = false;
  expect(ErrorCode::backend, HasSubstr("device properties differ"), [&] { build(); });

  fake().reads_timing_cache = false;
  expect(ErrorCode::backend, HasSubstr("device properties differ"), [&] { build(); });
}

TEST_F(TensorRtTimingCache, IsNotBlamedForABuildThatFails) {
  fake().complaint = "The timing cache will not be used!";
  fake().builds = false;
  fake().error = "no kernel";

  expect(ErrorCode::backend, AllOf(HasSubstr("no kernel"), Not(HasSubstr("timing cache"))),
         [&] { build(); });
}

class TensorRtTacticSources : public FakeTensorRt {
 protected:
  static void build(const std::map<std::string, bool>& sources) {
    compile(graph::parse(kDoubles), {.gpu = {.shapes = profile(), .kernel_sources = sources}});
  }

  static bool tries(nvinfer1::TacticSource source) {
    return (fake().tactic_sources >> static_cast<unsigned>(source) & 1U) != 0;
  }
};

TEST_F(TensorRtTacticSources, AreLeftOutOrTriedAsAsked) {
  using nvinfer1::TacticSource;
  build({});
  EXPECT_TRUE(tries(TacticSource::kJIT_CONVOLUTIONS));

  build({{"JIT_CONVOLUTIONS", false}});
  EXPECT_FALSE(tries(TacticSource::kJIT_CONVOLUTIONS));
  EXPECT_TRUE(tries(TacticSource::kEDGE_MASK_CONVOLUTIONS));

  build({{"JIT_CONVOLUTIONS", true}, {"EDGE_MASK_CONVOLUTIONS", false}});
  EXPECT_TRUE(tries(TacticSource::kJIT_CONVOLUTIONS));
  EXPECT_FALSE(tries(TacticSource::kEDGE_MASK_CONVOLUTIONS));
}

TEST_F(TensorRtTacticSources, ThatAreUnknownAreRefusedNamingTheKnown) {
  expect(ErrorCode::bad_argument,
         AllOf(HasSubstr("no tactic source 'CUBLASS'"), HasSubstr("JIT_CONVOLUTIONS")), [] {
           build({{"CUBLASS", true}});
         });
}

TEST_F(TensorRtTacticSources, ThatTensorRtRefusesAreAnErrorInItsWords) {
  fake().takes_tactic_sources = false;
  fake().error = "no such tactics here";

  expect(ErrorCode::backend, HasSubstr("no such tactics here"), [] {
    build({{"JIT_CONVOLUTIONS", false}});
  });
}

}  // namespace
}  // namespace yoloq::runtime::tensorrt
