// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/error.h"
#include "runtime/engine.h"

namespace yoloq::test {

/// An engine of one float32 input [N, 2] and one output of the same shape: twice the input. Tells
/// what was done to it, and fails on demand.
class FakeEngine final : public runtime::Engine {
 public:
  int stream_count = 1;
  std::int64_t fail_at_run = -1;                       ///< The run, counted from 0, that throws.
  std::function<void()> before_run;                    ///< Called by each run.
  float added = 0;                                     ///< To each output.
  std::map<int, std::shared_ptr<FakeEngine>> devices;  ///< What on_device() gives.

  std::atomic<std::int64_t> runs{0};
  std::atomic<std::int64_t> requests{0};

  std::span<const runtime::PortInfo> inputs() const override { return inputs_; }
  std::span<const runtime::PortInfo> outputs() const override { return outputs_; }
  const runtime::Metadata& metadata() const override { return metadata_; }
  runtime::FloatType float_type() const override { return runtime::FloatType::f32; }
  int streams() const override { return stream_count; }
  std::vector<runtime::LayerInfo> layers() const override { return {}; }
  void save(const std::filesystem::path&) const override {}
  std::string description() const override { return "fake"; }
  std::shared_ptr<runtime::Engine> on_device(int index) const override {
    return devices.empty() ? Engine::on_device(index) : devices.at(index);
  }

  std::unique_ptr<runtime::Request> make_request() override {
    ++requests;
    return std::make_unique<FakeRequest>(*this);
  }

 private:
  class FakeRequest final : public runtime::Request {
   public:
    explicit FakeRequest(FakeEngine& engine) : engine_(engine) {}

    runtime::TensorView input(std::size_t, const Shape& shape) override {
      shape_ = shape;
      input_.resize(static_cast<std::size_t>(element_count(shape)));
      return view(input_);
    }

    void run() override {
      if (engine_.before_run) engine_.before_run();
      if (engine_.runs++ == engine_.fail_at_run) fail(ErrorCode::backend, "the fake fails");
      output_ = input_;
      for (float& value : output_) value = 2 * value + engine_.added;
    }

    runtime::TensorView output(std::size_t) override { return view(output_); }

   private:
    runtime::TensorView view(std::vector<float>& values) const {
      runtime::TensorView result;
      result.dtype = DType::f32;
      result.shape = shape_;
      result.bytes = std::as_writable_bytes(std::span(values));
      return result;
    }

    FakeEngine& engine_;
    Shape shape_;
    std::vector<float> input_;
    std::vector<float> output_;
  };

  std::vector<runtime::PortInfo> inputs_{{"x", DType::f32, {graph::Dim{}, graph::Dim::fixed(2)}}};
  std::vector<runtime::PortInfo> outputs_{{"y", DType::f32, {graph::Dim{}, graph::Dim::fixed(2)}}};
  runtime::Metadata metadata_;
};

}  // namespace yoloq::test
