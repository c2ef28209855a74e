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
  EXPECT_EQ(read_file(cache()), test::kFakeTime);

  build();
  EXPECT_EQ(read_file(cache()), fmt::format("{0}{0}", test::kFakeTime));
}

TEST_F(TensorRtTimingCache, IsLeftAloneByABuildThatFails) {
  write_file(cache(), "times");
  fake().builds = false;

  EXPECT_THROW(build(), Error);

  EXPECT_EQ(read_file(cache()), "times");
}

TEST_F(TensorRtTimingCache, OfAnotherGpuIsRefusedWithItsName) {
  write_file(cache(), "times");
  fake().takes_timing_cache = false;
  fake().error = "device properties differ";

  expect(ErrorCode::unsupported,
         AllOf(HasSubstr(cache().string()), HasSubstr("device properties differ")),
         [&] { build(); });
}

TEST_F(TensorRtTimingCache, OfGarbageIsRefusedWithItsName) {
  write_file(cache(), "garbage");
  fake().reads_timing_cache = false;
  fake().error = "bad magic";

  expect(ErrorCode::backend, AllOf(HasSubstr(cache().string()), HasSubstr("bad magic")),
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
