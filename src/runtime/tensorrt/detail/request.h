// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "runtime/engine.h"
#include "runtime/tensorrt/detail/cuda.h"
#include "runtime/tensorrt/detail/engine.h"
#include "runtime/tensorrt/detail/letterbox.h"
#include "runtime/tensorrt/detail/shape_limits.h"

namespace yoloq::runtime::tensorrt {

/// One input or output of a request, as long as its whole batch.
struct Slot {
  PortInfo port;
  Shape shape;
  Buffer buffer;

  std::size_t bytes() const;
  TensorView view() const;
};

/// A stream of its own, with buffers for one batch:
///
///     input(), letterbox()  ->  run(): upload, compute, download  ->  output()
///
/// Batches larger than the plan's are computed in pieces, one behind the other on the stream.
class TensorRtRequest final : public Request {
 public:
  /// @param loaded  of `engine`.
  TensorRtRequest(std::shared_ptr<const TensorRtEngine> engine, const Loaded& loaded,
                  std::shared_ptr<Context> context);

  TensorView input(std::size_t index, const Shape& shape) override;
  bool letterbox(std::size_t place, const vision::Image& image,
                 const vision::Placement& placement) override;
  void run() override;
  TensorView output(std::size_t index) override;
  std::optional<RunTimes> times() const override;

  /// One run on zeros, of the shape the plan is tuned for.
  void run_once();

  nvinfer1::IExecutionContext& context() const { return *context_->trt; }

 private:
  int device() const { return loaded_.device.index; }
  std::int64_t batch() const { return inputs_.front().shape.front(); }
  std::int64_t piece(std::int64_t first) const { return limits_.piece(batch() - first); }
  std::size_t offset(const Slot& slot, std::int64_t first) const;

  void make_ready();
  void set_piece(std::int64_t first, std::int64_t count);
  void require(bool done, std::string_view what);
  void record(std::size_t index);
  void upload();
  void compute();
  void download();
  void record_graph();

  std::shared_ptr<const TensorRtEngine> engine_;
  const Loaded& loaded_;
  std::shared_ptr<Context> context_;
  ShapeLimits limits_;
  Stream stream_;
  std::array<Event, 4> events_;
  std::vector<Slot> inputs_;
  std::vector<Slot> outputs_;
  GraphExec graph_;
  Letterbox letterbox_;
  bool on_device_ = false;  // The first input was letterboxed there.
  bool ready_ = false;      // Shapes and addresses are set.
};

}  // namespace yoloq::runtime::tensorrt
