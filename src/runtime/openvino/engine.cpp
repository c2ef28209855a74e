// SPDX-License-Identifier: Apache-2.0
#include "runtime/openvino/detail/engine.h"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <openvino/core/model.hpp>
#include <openvino/runtime/infer_request.hpp>
#include <openvino/runtime/properties.hpp>
#include <set>
#include <sstream>
#include <utility>

#include "core/file.h"
#include "runtime/openvino/detail/layers.h"

namespace yoloq::runtime::openvino {

namespace {

struct ElementRow {
  DType dtype;
  ov::element::Type_t element;
};

constexpr std::array kElements{
    ElementRow{DType::f32, ov::element::Type_t::f32},
    ElementRow{DType::f64, ov::element::Type_t::f64},
    ElementRow{DType::f16, ov::element::Type_t::f16},
    ElementRow{DType::bf16, ov::element::Type_t::bf16},
    ElementRow{DType::u8, ov::element::Type_t::u8},
    ElementRow{DType::i8, ov::element::Type_t::i8},
    ElementRow{DType::u16, ov::element::Type_t::u16},
    ElementRow{DType::i16, ov::element::Type_t::i16},
    ElementRow{DType::u32, ov::element::Type_t::u32},
    ElementRow{DType::i32, ov::element::Type_t::i32},
    ElementRow{DType::u64, ov::element::Type_t::u64},
    ElementRow{DType::i64, ov::element::Type_t::i64},
    ElementRow{DType::boolean, ov::element::Type_t::boolean},
};

DType dtype_of_element(const ov::element::Type& type) {
  const ov::element::Type_t element = type;
  const auto row = std::ranges::find(kElements, element, &ElementRow::element);
  if (row != kElements.end()) return row->dtype;
  fail(ErrorCode::unsupported, "OpenVINO's element type {} has no counterpart",
       type.get_type_name());
}

graph::Dims dims_of(const ov::PartialShape& shape) {
  graph::Dims dims;
  if (shape.rank().is_dynamic()) return dims;
  for (const ov::Dimension& dim : shape) {
    dims.push_back(dim.is_static() ? graph::Dim::fixed(dim.get_length()) : graph::Dim{});
  }
  return dims;
}

std::vector<PortInfo> describe(const std::vector<ov::Output<const ov::Node>>& ports,
                               const std::vector<std::string>& names) {
  if (ports.size() != names.size()) {
    fail(ErrorCode::backend, "OpenVINO made {} inputs or outputs of the model's {}", ports.size(),
         names.size());
  }
  std::vector<PortInfo> result;
  for (std::size_t i = 0; i < ports.size(); ++i) {
    result.push_back({names[i], dtype_of_element(ports[i].get_element_type()),
                      dims_of(ports[i].get_partial_shape())});
  }
  return result;
}

TensorView view_of(const ov::Tensor& tensor) {
  TensorView view;
  view.dtype = dtype_of_element(tensor.get_element_type());
  const ov::Shape& shape = tensor.get_shape();
  view.shape.assign(shape.begin(), shape.end());
  view.bytes = {static_cast<std::byte*>(const_cast<void*>(tensor.data())), tensor.get_byte_size()};
  return view;
}

/// Times of the latest profiled run, collected from requests of any thread.
class Times {
 public:
  void store(const std::vector<ov::ProfilingInfo>& infos) {
    const std::lock_guard lock(mutex_);
    for (const ov::ProfilingInfo& info : infos) {
      if (info.status != ov::ProfilingInfo::Status::EXECUTED) continue;
      times_ms_[info.node_name] = static_cast<double>(info.real_time.count()) / 1000.0;
    }
  }

  LayerTimes get() const {
    const std::lock_guard lock(mutex_);
    return times_ms_;
  }

 private:
  mutable std::mutex mutex_;
  LayerTimes times_ms_;
};

class OpenVinoEngine;

class OpenVinoRequest final : public Request {
 public:
  OpenVinoRequest(std::shared_ptr<OpenVinoEngine> engine, ov::InferRequest request)
      : engine_(std::move(engine)), request_(std::move(request)) {}

  TensorView input(std::size_t index, const Shape& shape) override;
  void run() override;
  TensorView output(std::size_t index) override;

 private:
  std::shared_ptr<OpenVinoEngine> engine_;
  ov::InferRequest request_;
};

class OpenVinoEngine final : public Engine, public std::enable_shared_from_this<OpenVinoEngine> {
 public:
  OpenVinoEngine(ov::CompiledModel model, EngineFile facts, bool profile)
      : model_(std::move(model)),
        facts_(std::move(facts)),
        profile_(profile),
        inputs_(describe(model_.inputs(), facts_.inputs)),
        outputs_(describe(model_.outputs(), facts_.outputs)) {}

  std::span<const PortInfo> inputs() const override { return inputs_; }
  std::span<const PortInfo> outputs() const override { return outputs_; }
  const Metadata& metadata() const override { return facts_.metadata; }

  FloatType float_type() const override { return float_type_of(facts_.float_type); }

  std::unique_ptr<Request> make_request() override {
    return guarded("making a request", [&] {
      return std::make_unique<OpenVinoRequest>(shared_from_this(), model_.create_infer_request());
    });
  }

  int streams() const override {
    return guarded("asking for streams",
                   [&] { return static_cast<int>(model_.get_property(ov::num_streams).num); });
  }

  std::vector<LayerInfo> layers() const override {
    return guarded("reading the executed layers", [&] {
      return layer_table(*model_.get_runtime_model(), facts_.nodes, times_.get());
    });
  }

  void save(const std::filesystem::path& path) const override {
    EngineFile file = facts_;
    file.blob = guarded("exporting the compiled model", [&] {
      std::ostringstream blob;
      ov::CompiledModel(model_).export_model(blob);
      return std::move(blob).str();
    });
    write_file(path, serialize(file));
  }

  std::string description() const override {
    const int threads = guarded("asking for threads", [&] {
      return static_cast<int>(model_.get_property(ov::inference_num_threads));
    });
    return "OpenVINO " + facts_.backend_version.substr(0, facts_.backend_version.find('-')) +
           " on " + facts_.device + ", " + facts_.float_type + ", " + std::to_string(streams()) +
           " streams, " + std::to_string(threads) + " threads";
  }

  std::vector<std::string> notices() const override { return facts_.notices; }

  void profile(ov::InferRequest& request) {
    if (profile_) times_.store(request.get_profiling_info());
  }

 private:
  ov::CompiledModel model_;
  EngineFile facts_;
  bool profile_;
  std::vector<PortInfo> inputs_;
  std::vector<PortInfo> outputs_;
  Times times_;
};

std::string to_string(const graph::Dims& dims) {
  std::string text;
  for (const graph::Dim& dim : dims) {
    text += (text.empty() ? "" : ", ") + (dim.known() ? std::to_string(dim.size) : "any");
  }
  return "[" + text + "]";
}

/// The shape of one request's input.
///
/// @throws Error(bad_argument) if `shape` is not one of those that `port` stands for.
Shape chosen_shape(const PortInfo& port, const Shape& shape) {
  if (shape.empty()) {
    if (const auto fixed = graph::fixed_shape(port.dims)) return *fixed;
    fail(ErrorCode::bad_argument, "input '{}' is {}: say which shape", port.name,
         to_string(port.dims));
  }
  const bool fits = std::ranges::equal(shape, port.dims, [](std::int64_t size, const auto& dim) {
    return size >= 0 && (!dim.known() || dim.size == size);
  });
  if (fits) return shape;
  fail(ErrorCode::bad_argument, "shape {} does not fit input '{}', which is {}",
       yoloq::to_string(shape), port.name, to_string(port.dims));
}

const PortInfo& port_at(std::span<const PortInfo> ports, std::size_t index) {
  if (index < ports.size()) return ports[index];
  fail(ErrorCode::bad_argument, "there is no port {}, the model has {}", index, ports.size());
}

TensorView OpenVinoRequest::input(std::size_t index, const Shape& shape) {
  const Shape chosen = chosen_shape(port_at(engine_->inputs(), index), shape);
  return guarded("preparing an input", [&] {
    ov::Tensor tensor = request_.get_input_tensor(index);
    const ov::Shape wanted(chosen.begin(), chosen.end());
    if (tensor.get_shape() != wanted) tensor.set_shape(wanted);
    return view_of(tensor);
  });
}

void OpenVinoRequest::run() {
  guarded("running the model", [&] {
    request_.infer();
    engine_->profile(request_);
  });
}

TensorView OpenVinoRequest::output(std::size_t index) {
  port_at(engine_->outputs(), index);
  return guarded("reading an output", [&] { return view_of(request_.get_output_tensor(index)); });
}

}  // namespace

std::shared_ptr<Engine> make_engine(ov::CompiledModel model, EngineFile facts, bool profile) {
  return std::make_shared<OpenVinoEngine>(std::move(model), std::move(facts), profile);
}

}  // namespace yoloq::runtime::openvino
