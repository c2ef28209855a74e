// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/state_dict.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "support/data.h"
#include "support/tiny_checkpoint.h"
#include "support/tiny_model.h"

namespace yoloq::checkpoint {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr int kNoTorch = 77;  ///< Of read_state_dict.py.

std::vector<NamedTensor> some_tensors() {
  return {{"model.0.conv.weight", Tensor::of<float>({2, 1, 2, 2}, {1, -2, 3e-30f, 4, 5, 6, 7, 8})},
          {"model.0.bn.weight", Tensor::list<float>({0.5f, 0.25f})},
          {"model.0.bn.num_batches_tracked", Tensor::scalar<std::int64_t>(1'000'000'000'007)},
          {"model.1.empty", Tensor::of<float>({0, 3}, std::vector<float>{})},
          {"model.24.m.0.ü", Tensor::scalar<float>(-0.0f)}};
}

json expected_of_some() {
  return json::parse(R"({"class": "OrderedDict", "tensors": [
    ["model.0.conv.weight", "float32", [2, 1, 2, 2], [1, -2, 3e-30, 4, 5, 6, 7, 8]],
    ["model.0.bn.weight", "float32", [2], [0.5, 0.25]],
    ["model.0.bn.num_batches_tracked", "int64", [], [1000000000007]],
    ["model.1.empty", "float32", [0, 3], []],
    ["model.24.m.0.ü", "float32", [], [-0.0]]]})");
}

class StateDict : public testing::Test {
 protected:
  test::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "state.pt";

  /// The answer with its reals as they are in float32.
  static json in_floats(json answer) {
    for (json& tensor : answer["tensors"]) {
      if (tensor[1] == "int64") continue;
      for (json& value : tensor[3]) value = value.get<float>();
    }
    return answer;
  }
  static json said_by(const test::Finished& finished) {
    EXPECT_EQ(finished.status, 0) << finished.errors;
    return in_floats(json::parse(finished.output));
  }
  template <typename Step>
  std::string refusal(ErrorCode code, const Step& step) const {
    try {
      step();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      return error.what();
    }
    return "nothing was thrown";
  }
};

TEST_F(StateDict, IsReadByPythonThatKnowsNoMoreThanTheFormat) {
  write_state_dict(path_, some_tensors());

  const auto finished = test::run_python("tests/checkpoint/read_state_dict.py", {path_});

  EXPECT_EQ(said_by(finished), in_floats(expected_of_some()));
}

TEST_F(StateDict, IsReadByPyTorchWithWeightsOnly) {
  write_state_dict(path_, some_tensors());

  const auto finished = test::run_python("tests/checkpoint/read_state_dict.py", {path_, "--torch"});

  if (finished.status == kNoTorch) {
    GTEST_SKIP() << "the Python of the oracles has no PyTorch: " << finished.output;
  }
  EXPECT_EQ(said_by(finished), in_floats(expected_of_some()));
}

TEST_F(StateDict, IsReadBackInOrder) {
  write_state_dict(path_, some_tensors());

  EXPECT_EQ(read_state_dict(path_), some_tensors());
}

TEST_F(StateDict, OfHalvesIsReadBackAsFloats) {
  const std::vector<std::uint16_t> halves{0x3c00, 0xc000};  // 1 and -2.
  const NamedTensor half{"a", Tensor(DType::f16, {2}, std::as_bytes(std::span(halves)))};

  write_state_dict(path_, std::vector{half});

  EXPECT_EQ(read_state_dict(path_),
            (std::vector<NamedTensor>{{"a", Tensor::list<float>({1, -2})}}));
}

TEST_F(StateDict, HasTheSameBytesForTheSameTensors) {
  write_state_dict(path_, some_tensors());
  const std::string first = read_file(path_);

  write_state_dict(path_, some_tensors());

  EXPECT_EQ(read_file(path_), first);
}

TEST_F(StateDict, MayBeEmpty) {
  write_state_dict(path_, {});

  EXPECT_TRUE(read_state_dict(path_).empty());
}

TEST_F(StateDict, RefusesNamesAndTypesThatItCannotHold) {
  const auto refused = [&](ErrorCode code, const std::vector<NamedTensor>& tensors) {
    return refusal(code, [&] { write_state_dict(path_, tensors); });
  };
  const Tensor one = Tensor::scalar(1.0f);

  EXPECT_THAT(refused(ErrorCode::bad_argument, {{"a", one}, {"a", one}}), HasSubstr("'a' twice"));
  EXPECT_THAT(refused(ErrorCode::bad_argument, {{"", one}}), HasSubstr("no name"));
  EXPECT_THAT(refused(ErrorCode::unsupported, {{"a", Tensor::scalar<std::int8_t>(1)}}),
              HasSubstr("'a' is int8"));
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(StateDict, IsNotAWholeCheckpoint) {
  test::write_checkpoint(test::tiny_model(), path_);

  EXPECT_THAT(refusal(ErrorCode::unsupported, [&] { read_state_dict(path_); }),
              testing::AllOf(HasSubstr(path_.string()), HasSubstr("expected a dict of tensors")));
}

TEST_F(StateDict, ThatWasCutOffIsRefused) {
  write_state_dict(path_, some_tensors());
  const std::string bytes = read_file(path_);
  write_file(path_, bytes.substr(0, bytes.size() / 2));

  EXPECT_THAT(refusal(ErrorCode::corrupt_file, [&] { read_state_dict(path_); }),
              HasSubstr("damaged or cut off"));
}

}  // namespace
}  // namespace yoloq::checkpoint
