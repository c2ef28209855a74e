// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/detail/request.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "runtime/tensorrt/detail/dims.h"

namespace yoloq::runtime::tensorrt {

namespace {

Slot& slot_of(std::vector<Slot>& slots, std::size_t index, std::string_view what) {
  if (index < slots.size()) return slots[index];
  fail(ErrorCode::bad_argument, "there is no {} {}: the model has {}, counted from 0", what, index,
       slots.size());
}

std::vector<Slot> slots_for(std::span<const PortInfo> ports) {
  std::vector<Slot> slots;
  for (const PortInfo& port : ports) slots.push_back({.port = port, .shape = {}, .buffer = {}});
  return slots;
}

}  // namespace

std::size_t Slot::bytes() const {
  return static_cast<std::size_t>(element_count(shape)) * size_of(port.dtype);
}

TensorView Slot::view() const {
  TensorView view;
  view.dtype = port.dtype;
  view.shape = shape;
  view.bytes = {buffer.host(), bytes()};
  return view;
}

TensorRtRequest::TensorRtRequest(std::shared_ptr<const TensorRtEngine> engine, const Loaded& loaded,
                                 std::shared_ptr<Context> context)
    : engine_(std::move(engine)),
      loaded_(loaded),
      context_(std::move(context)),
      limits_(ShapeLimits::of(*loaded.engine, engine_->inputs().front())),
      inputs_(slots_for(engine_->inputs())),
      outputs_(slots_for(engine_->outputs())) {
  use_device(device());
  stream_ = make_stream();
  for (Event& event : events_) event = make_event();
}

TensorView TensorRtRequest::input(std::size_t index, const Shape& shape) {
  Slot& slot = slot_of(inputs_, index, "input");
  const Shape wanted = limits_.settle(slot.port, shape);
  use_device(device());
  if (wanted != slot.shape) {
    slot.shape = wanted;
    slot.buffer.reserve(slot.bytes());
    graph_.reset();
    ready_ = false;
  }
  if (index == 0) on_device_ = false;
  return slot.view();
}

bool TensorRtRequest::letterbox(std::size_t place, const vision::Image& image,
                                const vision::Placement& placement) {
  Slot& slot = inputs_.front();
  if (!engine_->options().gpu.letterbox || slot.port.dtype != DType::f32) return false;
  use_device(device());
  const std::size_t bytes = slot.bytes() / static_cast<std::size_t>(slot.shape.front());
  auto* canvas = reinterpret_cast<float*>(slot.buffer.device() + place * bytes);
  letterbox_(place, canvas, image, placement, stream_.get());
  on_device_ = true;
  return true;
}

void TensorRtRequest::run() {
  use_device(device());
  const std::lock_guard busy(context_->mutex);
  if (!ready_) make_ready();
  if (context_->shared) set_piece(0, piece(0));  // Others have set theirs.
  record(0);
  upload();
  record(1);
  compute();
  record(2);
  download();
  record(3);
  check(::cudaStreamSynchronize(stream_.get()), "running the engine");
}

void TensorRtRequest::run_once() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) {
    std::ranges::fill(input(i, i == 0 ? limits_.best : Shape{}).bytes, std::byte{0});
  }
  run();
}

TensorView TensorRtRequest::output(std::size_t index) {
  return slot_of(outputs_, index, "output").view();
}

std::optional<RunTimes> TensorRtRequest::times() const {
  return RunTimes{.upload_ms = milliseconds(events_[0], events_[1]),
                  .compute_ms = milliseconds(events_[1], events_[2]),
                  .download_ms = milliseconds(events_[2], events_[3])};
}

/// Where the part of a slot starts that belongs to image `first` of the batch.
std::size_t TensorRtRequest::offset(const Slot& slot, std::int64_t first) const {
  return slot.bytes() / static_cast<std::size_t>(batch()) * static_cast<std::size_t>(first);
}

/// The outputs' shapes are those of a piece, with the whole batch in front.
void TensorRtRequest::make_ready() {
  set_piece(0, piece(0));
  for (Slot& slot : outputs_) {
    slot.shape = shape_of(context().getTensorShape(slot.port.name.c_str()));
    if (std::ranges::any_of(slot.shape, [](std::int64_t size) { return size < 0; })) {
      fail(ErrorCode::unsupported, "the size of the output '{}' depends on its values",
           slot.port.name);
    }
    if (piece(0) != batch()) slot.shape.front() = batch();
    slot.buffer.reserve(slot.bytes());
  }
  set_piece(0, piece(0));
  ready_ = true;
}

void TensorRtRequest::set_piece(std::int64_t first, std::int64_t count) {
  for (Slot& slot : inputs_) {
    if (slot.shape.empty()) {
      fail(ErrorCode::bad_state, "the input '{}' was not filled", slot.port.name);
    }
    Shape shape = slot.shape;
    if (count != batch()) shape.front() = count;
    std::byte* address = slot.buffer.device() + offset(slot, first);
    const char* name = slot.port.name.c_str();
    require(
        context().setInputShape(name, to_dims(shape)) && context().setTensorAddress(name, address),
        "the inputs");
  }
  for (Slot& slot : outputs_) {
    std::byte* address = slot.buffer.device() + offset(slot, first);
    require(context().setTensorAddress(slot.port.name.c_str(), address), "the outputs");
  }
}

void TensorRtRequest::require(bool done, std::string_view what) {
  if (done) return;
  fail(ErrorCode::backend, "TensorRT does not take {}: {}", what, engine_->log().take_errors());
}

void TensorRtRequest::record(std::size_t index) {
  check(::cudaEventRecord(events_[index].get(), stream_.get()), "starting a clock");
}

void TensorRtRequest::upload() {
  for (Slot& slot : inputs_) {
    if (on_device_ && &slot == &inputs_.front()) continue;
    check(::cudaMemcpyAsync(slot.buffer.device(), slot.buffer.host(), slot.bytes(),
                            cudaMemcpyHostToDevice, stream_.get()),
          "uploading an input");
  }
}

void TensorRtRequest::compute() {
  if (graph_) {
    check(::cudaGraphLaunch(graph_.get(), stream_.get()), "launching the recorded run");
    return;
  }
  for (std::int64_t first = 0; first < batch(); first += piece(first)) {
    if (piece(0) != batch()) set_piece(first, piece(first));
    require(context().enqueueV3(stream_.get()), "a run");
  }
  const bool whole = piece(0) == batch();
  if (engine_->options().gpu.cuda_graph && whole && !engine_->options().profile) record_graph();
}

void TensorRtRequest::download() {
  for (Slot& slot : outputs_) {
    check(::cudaMemcpyAsync(slot.buffer.host(), slot.buffer.device(), slot.bytes(),
                            cudaMemcpyDeviceToHost, stream_.get()),
          "downloading an output");
  }
}

/// TensorRT wants one run before a shape is recorded; this is called behind it.
void TensorRtRequest::record_graph() {
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t launchable = nullptr;
  check(::cudaStreamSynchronize(stream_.get()), "running the engine");
  check(::cudaStreamBeginCapture(stream_.get(), cudaStreamCaptureModeThreadLocal),
        "recording a run");
  const bool enqueued = context().enqueueV3(stream_.get());
  check(::cudaStreamEndCapture(stream_.get(), &graph), "recording a run");
  require(enqueued, "a run to be recorded");
  const cudaError_t status = ::cudaGraphInstantiate(&launchable, graph, 0);
  ::cudaGraphDestroy(graph);
  check(status, "preparing the recorded run");
  graph_.reset(launchable);
}

}  // namespace yoloq::runtime::tensorrt
