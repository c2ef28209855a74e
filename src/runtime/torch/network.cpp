// SPDX-License-Identifier: Apache-2.0
#include "runtime/torch/network.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>
#include <set>

#include "core/error.h"
#include "graph/ops.h"
#include "graph/patterns.h"
#include "runtime/torch/detail/operators.h"
#include "runtime/torch/errors.h"
#include "runtime/torch/tensors.h"

namespace yoloq::runtime::torch {

namespace {

using graph::Graph;
using graph::Node;
using graph::NodeId;

constexpr std::size_t kAbsent = std::numeric_limits<std::size_t>::max();

/// Shapes and indices are computed on the CPU whatever the device: few numbers, read at once.
bool is_real(const at::Tensor& tensor) { return tensor.defined() && tensor.is_floating_point(); }

/// One input of an instruction.
struct Read {
  std::size_t slot = kAbsent;
  FakeQuantizer* quantizer = nullptr;  ///< What it is read through.
};

/// How an instruction is computed.
enum class Kind { torch, reference, silu };

struct Instruction {
  NodeId node{};
  Kind kind = Kind::torch;
  const Operator* row = nullptr;
  std::vector<Read> reads;
  std::vector<const Tensor*> known;
  std::vector<std::size_t> writes;  ///< kAbsent where nothing reads an output.
  std::vector<std::size_t> frees;   ///< Slots that nothing reads afterwards.
  FakeQuantizer* fused = nullptr;   ///< Of a SiLU whose readers all read it quantized.
};

/// Smallest and largest value of silu(x): those at the ends of x, or its minimum in between.
std::pair<at::Tensor, at::Tensor> range_of_silu(const at::Tensor& x) {
  constexpr double kLowestAt = -1.2784645;
  constexpr double kLowest = -0.27846455;
  const auto [low, high] = at::aminmax(x);
  const at::Tensor ends = at::silu(at::stack({low, high}));
  const at::Tensor has_lowest = low.lt(kLowestAt).logical_and(high.gt(kLowestAt));
  return {at::where(has_lowest, at::full_like(low, kLowest), ends.min()), ends.max()};
}

bool all_read_through(const Graph& graph, const std::string& value, std::size_t quantized) {
  return graph.readers(value) == quantized && !graph.is_output(value);
}

}  // namespace

struct Network::State {
  Graph graph;
  c10::Device device{c10::kCPU};
  std::map<std::string, std::size_t> slots;
  std::vector<at::Tensor> fixed;  ///< Constants that are no float32, by slot.
  std::map<std::string, at::Tensor> constants;
  std::map<std::string, FakeQuantizer> quantizers;
  bool quantizers_on = true;
  std::vector<Instruction> steps;

  std::size_t slot_of(const std::string& value) {
    if (value.empty()) return kAbsent;
    return slots.try_emplace(value, slots.size()).first->second;
  }

  void take_constants();
  void compile();
  Instruction step_of(NodeId id);
  void plan_frees();
  void route(const quantize::ActivationPlan& plan, FakeQuantizer& quantizer);
  Instruction& step_named(const std::string& reader, const std::string& name);

  at::Tensor value_read(const Read& read, const std::vector<at::Tensor>& values,
                        std::map<std::size_t, at::Tensor>& quantized,
                        const RunOptions& options) const;
  std::vector<at::Tensor> compute(const Instruction& step, std::vector<at::Tensor> inputs,
                                  const RunOptions& options) const;
  std::vector<at::Tensor> compute_by_reference(const Node& node,
                                               const std::vector<at::Tensor>& inputs) const;
  void run_step(const Instruction& step, std::vector<at::Tensor>& values,
                std::map<std::size_t, at::Tensor>& quantized, const RunOptions& options) const;
};

void Network::State::take_constants() {
  for (const auto& [name, tensor] : graph.constants) {
    const std::size_t slot = slot_of(name);
    if (tensor.dtype() == DType::f32) {
      constants[name] = to_torch(tensor, device);
      continue;
    }
    if (tensor.dtype() == DType::string) continue;  // Only ever an error of the node that reads it.
    fixed.resize(std::max(fixed.size(), slot + 1));
    const bool codes = tensor.dtype() == DType::i8 || tensor.dtype() == DType::u8;
    fixed[slot] = to_torch(tensor, codes ? device : c10::Device(c10::kCPU));
  }
}

Instruction Network::State::step_of(NodeId id) {
  const Node& node = graph[id];
  Instruction step{.node = id};
  Call call{.node = node, .opset = graph.opset()};
  for (const std::string& input : node.inputs) {
    step.reads.push_back({slot_of(input)});
    step.known.push_back(graph.constant(input));
  }
  for (const std::string& output : node.outputs) step.writes.push_back(slot_of(output));
  call.known = step.known;
  step.row = find_operator(call);
  if (step.row != nullptr) return step;
  if (graph::find_op(node) == nullptr) {
    fail(ErrorCode::backend, "node '{}': LibTorch's runtime has no operator '{}'", node.name,
         node.op);
  }
  step.kind = Kind::reference;
  return step;
}

void Network::State::compile() {
  std::set<NodeId> merged;
  for (const NodeId id : graph.nodes()) {
    if (merged.contains(id)) continue;
    const Node& node = graph[id];
    const auto silu = node.op == "Sigmoid" ? graph::silu_of(graph, node.inputs.front())
                                           : std::optional<graph::Silu>();
    if (silu && silu->sigmoid == id && !graph.is_output(node.output())) {
      steps.push_back({.node = silu->mul,
                       .kind = Kind::silu,
                       .reads = {{slot_of(node.inputs.front())}},
                       .known = {nullptr},
                       .writes = {slot_of(graph[silu->mul].output())}});
      merged.insert(silu->mul);
      continue;
    }
    steps.push_back(step_of(id));
  }
}

void Network::State::plan_frees() {
  std::set<std::size_t> kept;
  for (const graph::Port& output : graph.outputs) kept.insert(slot_of(output.name));
  for (const auto& [name, tensor] : graph.constants) kept.insert(slot_of(name));
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    for (const Read& read : step->reads) {
      if (read.slot != kAbsent && kept.insert(read.slot).second) step->frees.push_back(read.slot);
    }
    for (const std::size_t slot : step->writes) {
      if (slot != kAbsent && kept.insert(slot).second) step->frees.push_back(slot);
    }
  }
}

at::Tensor Network::State::value_read(const Read& read, const std::vector<at::Tensor>& values,
                                      std::map<std::size_t, at::Tensor>& quantized,
                                      const RunOptions& options) const {
  if (read.slot == kAbsent) return {};
  const at::Tensor& value = values[read.slot];
  if (read.quantizer == nullptr || !quantizers_on) return value;
  at::Tensor& seen = quantized[read.slot];
  if (seen.defined()) return seen;
  if (options.observe && !read.quantizer->of_weight) {
    const auto [low, high] = at::aminmax(value.detach());
    options.observe(*read.quantizer, low, high);
  }
  seen = fake_quantize(value, read.quantizer->scale, read.quantizer->codes);
  return seen;
}

std::vector<at::Tensor> Network::State::compute_by_reference(
    const Node& node, const std::vector<at::Tensor>& inputs) const {
  std::vector<Tensor> tensors;
  tensors.reserve(inputs.size());
  graph::Call call{.node = node, .opset = graph.opset()};
  for (const at::Tensor& input : inputs) {
    if (input.defined() && input.requires_grad() && c10::GradMode::is_enabled()) {
      fail(ErrorCode::unsupported, "node '{}': no gradient passes the operator '{}'", node.name,
           node.op);
    }
    tensors.push_back(input.defined() ? from_torch(input) : Tensor());
    call.inputs.push_back(input.defined() ? &tensors.back() : nullptr);
  }
  std::vector<at::Tensor> outputs;
  for (const Tensor& output : graph::compute(*graph::find_op(node), call)) {
    const bool real =
        output.dtype() == DType::f32 || output.dtype() == DType::i8 || output.dtype() == DType::u8;
    outputs.push_back(to_torch(output, real ? device : c10::Device(c10::kCPU)));
  }
  return outputs;
}

std::vector<at::Tensor> Network::State::compute(const Instruction& step,
                                                std::vector<at::Tensor> inputs,
                                                const RunOptions& options) const {
  const Node& node = graph[step.node];
  if (step.kind == Kind::silu) {
    if (step.fused == nullptr || !quantizers_on) return {at::silu(inputs.front())};
    if (options.observe) {
      const auto [low, high] = range_of_silu(inputs.front().detach());
      options.observe(*step.fused, low, high);
    }
    return {fake_quantize_silu(inputs.front(), step.fused->scale, step.fused->codes)};
  }
  const bool codes = node.op == "DequantizeLinear";
  const bool on_torch = step.kind == Kind::torch && (codes || is_real(inputs.front()));
  if (!on_torch) return compute_by_reference(node, inputs);
  return step.row->compute({.node = node,
                            .opset = graph.opset(),
                            .inputs = std::move(inputs),
                            .known = step.known,
                            .batch_statistics = options.batch_statistics,
                            .momentum = options.momentum,
                            .batch_norm = options.batch_norm});
}

void Network::State::run_step(const Instruction& step, std::vector<at::Tensor>& values,
                              std::map<std::size_t, at::Tensor>& quantized,
                              const RunOptions& options) const {
  const auto start = std::chrono::steady_clock::now();
  std::vector<at::Tensor> arguments;
  for (const Read& read : step.reads) {
    arguments.push_back(value_read(read, values, quantized, options));
  }
  std::vector<at::Tensor> outputs;
  try {
    outputs = compute(step, std::move(arguments), options);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) throw;
    fail(ErrorCode::backend, "node '{}' ({}): {}", graph[step.node].name, graph[step.node].op,
         text_of(error));
  }
  for (std::size_t i = 0; i < step.writes.size(); ++i) {
    if (step.writes[i] != kAbsent) values[step.writes[i]] = std::move(outputs.at(i));
  }
  for (const std::size_t slot : step.frees) {
    values[slot] = at::Tensor();
    quantized.erase(slot);
  }
  if (!options.timed) return;
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  options.timed(step.node, spent.count());
}

Network::Network(const Graph& graph, c10::Device device) : state_(std::make_unique<State>()) {
  state_->graph = graph;
  state_->device = device;
  state_->take_constants();
  state_->compile();
  state_->plan_frees();
}
Network::~Network() = default;
Network::Network(Network&&) noexcept = default;
Network& Network::operator=(Network&&) noexcept = default;

std::map<std::string, at::Tensor>& Network::constants() { return state_->constants; }
const std::map<std::string, at::Tensor>& Network::constants() const { return state_->constants; }
std::map<std::string, FakeQuantizer>& Network::quantizers() { return state_->quantizers; }
void Network::enable_quantizers(bool on) { state_->quantizers_on = on; }
const Graph& Network::graph() const { return state_->graph; }
c10::Device Network::device() const { return state_->device; }

bool Network::on_torch(NodeId node) const {
  return std::ranges::none_of(state_->steps, [&](const Instruction& step) {
    return step.node == node && step.kind == Kind::reference;
  });
}

std::vector<at::Tensor> Network::run(std::span<const at::Tensor> inputs,
                                     const RunOptions& options) const {
  const State& state = *state_;
  if (inputs.size() != state.graph.inputs.size()) {
    fail(ErrorCode::bad_argument, "{} inputs for a graph that has {}", inputs.size(),
         state.graph.inputs.size());
  }
  std::vector<at::Tensor> values(state.slots.size());
  std::ranges::copy(state.fixed, values.begin());
  for (const auto& [name, tensor] : state.constants) values[state.slots.at(name)] = tensor;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    values[state.slots.at(state.graph.inputs[i].name)] = inputs[i];
  }
  std::map<std::size_t, at::Tensor> quantized;
  for (const Instruction& step : state.steps) state.run_step(step, values, quantized, options);
  std::vector<at::Tensor> results;
  for (const graph::Port& output : state.graph.outputs) {
    results.push_back(values[state.slots.at(output.name)]);
  }
  return results;
}

Instruction& Network::State::step_named(const std::string& reader, const std::string& name) {
  const auto step = std::ranges::find_if(
      steps, [&](const Instruction& candidate) { return graph[candidate.node].name == name; });
  if (step != steps.end()) return *step;
  fail(ErrorCode::bad_argument, "the plan speaks of '{}', which the model does not have", reader);
}

void Network::State::route(const quantize::ActivationPlan& plan, FakeQuantizer& quantizer) {
  if (!slots.contains(plan.tensor)) {
    fail(ErrorCode::bad_argument, "the plan quantizes '{}', which the model does not have",
         plan.tensor);
  }
  const std::size_t slot = slots.at(plan.tensor);
  for (Instruction& step : steps) {
    const bool silu = step.kind == Kind::silu && step.writes.front() == slot;
    if (silu && all_read_through(graph, plan.tensor, plan.readers.size())) {
      step.fused = &quantizer;  // The readers then find the quantized value in its place.
      return;
    }
  }
  for (const std::string& reader : plan.readers) {
    const std::size_t colon = reader.rfind(':');
    Instruction& step = step_named(reader, reader.substr(0, colon));
    const std::size_t input = std::stoul(reader.substr(colon + 1));
    if (input >= step.reads.size() || step.reads[input].slot != slot) {
      fail(ErrorCode::bad_argument, "the plan's reader '{}' of '{}' reads something else", reader,
           plan.tensor);
    }
    step.reads[input].quantizer = &quantizer;
  }
}

void Network::quantize(const quantize::Plan& plan) {
  State& state = *state_;
  const auto on_device = [&](const std::vector<float>& scales) {
    return to_torch(Tensor::list(scales), state.device);
  };
  for (const quantize::ActivationPlan& activation : plan.activations) {
    if (!activation.on) continue;
    const auto& [dtype, scale, zero_point] = activation.quantizer;
    const auto limits = quantize::code_limits(dtype);
    FakeQuantizer& quantizer = state.quantizers[activation.tensor];
    quantizer = {on_device({scale}), {limits.low, limits.high, zero_point}};
    state.route(activation, quantizer);
  }
  for (const quantize::WeightPlan& weight : plan.weights) {
    if (!weight.on) continue;
    if (!state.constants.contains(weight.tensor)) {
      fail(ErrorCode::bad_argument, "the plan quantizes '{}', which the model does not have",
           weight.tensor);
    }
    FakeQuantizer& quantizer = state.quantizers[weight.tensor];
    quantizer = {on_device(weight.scales), {-weight.top_code, weight.top_code, 0}, true};
    for (const graph::Use& use : state.graph.uses(weight.tensor)) {
      state.step_named(weight.tensor, state.graph[use.node].name).reads.at(use.input).quantizer =
          &quantizer;
    }
  }
}

}  // namespace yoloq::runtime::torch
