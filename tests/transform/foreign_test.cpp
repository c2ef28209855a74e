// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "onnx/model_file.h"
#include "support/data.h"
#include "transform/passes.h"

/// @file
/// simplify() on models of the structure that Ultralytics' exporters of v5.0 to v7.0 write.

namespace yoloq::transform {
namespace {

namespace fs = std::filesystem;

constexpr const char* kScript = "tests/transform/compare_simplified.py";
constexpr int kToolsAreAbsent = 77;

class SimplifyForeign : public testing::Test {
 protected:
  void SetUp() override {
    const auto made = test::run_python("tests/data/foreign/make_foreign.py", {models().string()});
    ASSERT_EQ(made.status, 0) << made.errors;
  }

  fs::path models() const { return folder_ / "models"; }
  fs::path simplified() const { return folder_ / "simplified"; }

  /// Writes each model through `rewrite`, with how many places it changed in all.
  template <typename Rewrite>
  int rewrite_all(Rewrite rewrite) const {
    int changes = 0;
    fs::create_directories(simplified());
    for (const auto& entry : fs::directory_iterator(models())) {
      if (entry.path().extension() != ".onnx") continue;
      graph::Graph graph = onnx::read_model(entry.path());
      changes += rewrite(graph);
      onnx::write_model(graph, simplified() / entry.path().filename());
    }
    return changes;
  }

  int simplify_all() const {
    return rewrite_all([](graph::Graph& graph) {
      int changes = 0;
      for (const PassResult& result : simplify(graph)) changes += result.changes;
      return changes;
    });
  }

 private:
  test::TemporaryFolder folder_;
};

TEST_F(SimplifyForeign, KeepsTheOutputs) {
  EXPECT_GT(simplify_all(), 0);

  const auto compared =
      test::run_python(kScript, {"outputs", models().string(), simplified().string()});
  EXPECT_EQ(compared.status, 0) << compared.errors;
}

TEST_F(SimplifyForeign, LeavesNoMoreNodesThanOnnxslimAndOnnxsim) {
  simplify_all();

  const auto compared =
      test::run_python(kScript, {"counts", models().string(), simplified().string()});
  if (compared.status == kToolsAreAbsent) {
    GTEST_SKIP() << "onnxslim or onnxsim is not installed: " << compared.output;
  }
  EXPECT_EQ(compared.status, 0) << compared.output << compared.errors;
}

TEST_F(SimplifyForeign, RewritesFocusExactly) {
  const int stems = rewrite_all([](graph::Graph& graph) { return focus_to_conv(graph); });

  EXPECT_EQ(stems, 5);  // The styles of v5.0.
  const auto compared =
      test::run_python(kScript, {"outputs", models().string(), simplified().string()});
  EXPECT_EQ(compared.status, 0) << compared.errors;
}

}  // namespace
}  // namespace yoloq::transform
