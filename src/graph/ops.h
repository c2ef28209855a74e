// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"

/// @file
/// The operators that yoloq computes with: one row each, with a rule for the types of the outputs
/// and a reference kernel. Graphs may hold any other operator too; its outputs have the types that
/// the file gave, and execute() refuses it.
///
/// To add one: write its rule (rules/) and its kernel (kernels/), declare both in detail/, and add
/// a row in ops.cpp and a case in tests/graph/make_op_cases.py, which asks ONNX Runtime.

namespace yoloq::graph {

/// One element of a small tensor as far as it is known before the model runs:
/// factor * symbol + offset, where the symbol is a size of an input (so it is >= 0). A plain number
/// has factor 0.
struct Element {
  bool known = false;
  std::int64_t offset = 0;
  std::int64_t factor = 0;
  std::string symbol{};

  bool constant() const { return known && factor == 0; }
  static Element number(std::int64_t value) { return {true, value, 0, {}}; }
  friend bool operator==(const Element&, const Element&) = default;
};

/// What is known of a value before the model runs.
struct Known {
  ValueType type{};
  std::optional<Tensor> tensor{};  ///< All of it, when it is the same in every run.
  std::optional<std::vector<Element>>
      elements{};  ///< Of whole numbers of rank 0 or 1; few of them.
};

/// What the rule for the types of a node's outputs may look at.
struct TypeQuery {
  const Node& node;
  std::int64_t opset = 0;
  std::vector<const Known*> inputs{};  ///< nullptr where an optional one is absent.
};

/// The types of all outputs, as far as the inputs let them be known.
///
/// @throws Error(corrupt_file) where the inputs contradict the operator.
using TypeRule = std::vector<ValueType> (*)(const TypeQuery&);

/// The elements of the only output, if something is known of them.
using ElementRule = std::optional<std::vector<Element>> (*)(const TypeQuery&);

/// What a kernel computes from.
struct Call {
  const Node& node;
  std::int64_t opset = 0;
  std::vector<const Tensor*> inputs{};  ///< nullptr where an optional one is absent.
};

/// The outputs, in plain loops that are meant to be read.
///
/// @throws Error(corrupt_file) where the inputs contradict the operator, Error(unsupported) where a
///         part of its definition is not covered.
using Kernel = std::vector<Tensor> (*)(const Call&);

/// How a kernel meets float16: computed in float32 and rounded, or any element moved as it is.
enum class Halves { widened, moved };

/// One operator of ONNX.
struct Op {
  std::string_view name;
  TypeRule types;
  Kernel compute;
  ElementRule elements = nullptr;
  Halves halves = Halves::widened;
};

/// All rows, by name.
std::span<const Op> ops();

/// The row of a node's operator, or nullptr if there is none.
const Op* find_op(const Node& node);

/// Runs the kernel of `op`, with float16 as the row says.
std::vector<Tensor> compute(const Op& op, const Call& call);

}  // namespace yoloq::graph
