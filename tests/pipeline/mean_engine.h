// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <numeric>
#include <vector>

#include "core/error.h"
#include "runtime/engine.h"

namespace yoloq::test {

/// An engine whose output [N] is the mean of each image of its input [N, 3, H, W]. Notes the batch
/// sizes that it was given, and fails on demand.
class MeanEngine final : public runtime::Engine {
 public:
  std::int64_t fail_at_run = -1;  ///< The run, counted from 0, that throws.
  std::atomic<std::int64_t> runs{0};

  std::vector<std::int64_t> batches() {
    const std::scoped_lock lock(mutex_);
    std::ranges::sort(batches_);
    return batches_;
  }

  std::span<const runtime::PortInfo> inputs() const override { return {}; }
  std::span<const runtime::PortInfo> outputs() const override { return {}; }
  const runtime::Metadata& metadata() const override { return metadata_; }
  runtime::FloatType float_type() const override { return runtime::FloatType::f32; }
  int streams() const override { return 1; }
  std::vector<runtime::LayerInfo> layers() const override { return {}; }
  void save(const std::filesystem::path&) const override {}
  std::string description() const override { return "mean"; }
  std::unique_ptr<runtime::Request> make_request() override {
    return std::make_unique<MeanRequest>(*this);
  }

 private:
  class MeanRequest final : public runtime::Request {
   public:
    explicit MeanRequest(MeanEngine& engine) : engine_(engine) {}

    runtime::TensorView input(std::size_t, const Shape& shape) override {
      shape_ = shape;
      input_.assign(static_cast<std::size_t>(element_count(shape)), -1.0f);
      return view(input_, shape);
    }

    void run() override {
      if (engine_.runs++ == engine_.fail_at_run) fail(ErrorCode::backend, "the fake fails");
      const auto length = static_cast<std::ptrdiff_t>(input_.size()) / shape_[0];
      means_.clear();
      for (std::ptrdiff_t n = 0; n < shape_[0]; ++n) {
        const auto first = input_.begin() + n * length;
        means_.push_back(static_cast<float>(std::accumulate(first, first + length, 0.0) /
                                            static_cast<double>(length)));
      }
      const std::scoped_lock lock(engine_.mutex_);
      engine_.batches_.push_back(shape_[0]);
    }

    runtime::TensorView output(std::size_t) override { return view(means_, {shape_[0]}); }

   private:
    static runtime::TensorView view(std::vector<float>& values, const Shape& shape) {
      runtime::TensorView result;
      result.dtype = DType::f32;
      result.shape = shape;
      result.bytes = std::as_writable_bytes(std::span(values));
      return result;
    }

    MeanEngine& engine_;
    Shape shape_;
    std::vector<float> input_;
    std::vector<float> means_;
  };

  runtime::Metadata metadata_;
  std::mutex mutex_;
  std::vector<std::int64_t> batches_;
};

}  // namespace yoloq::test
