// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "model/metadata.h"

/// @file
/// A YOLOv5 detector as its author sees it: a list of modules with their weights. This is the
/// meeting point of everything that knows architectures and everything that knows graphs:
///
///     .pt -> checkpoint ─┐
///                        ├─▶ Description ─▶ emit ─▶ Graph
///     yaml and a seed ───┘
///
/// Structs are named after Ultralytics' classes and their members after the attributes, so that
/// "model.2.cv1.conv.weight" is layers[2] -> C3::cv1 -> Conv::conv -> Conv2d::weight. All tensors
/// are float32. To add a module: a struct here, a row in Module, a branch in visit.h, an overload
/// in emit_blocks.cpp, a row in make_module.cpp (yaml) and one in checkpoint/blocks.cpp.

namespace yoloq::model {

/// Height first, as in PyTorch's pairs.
using Pair = std::array<std::int64_t, 2>;

/// The function behind a convolution.
struct Activation {
  enum class Kind { identity, silu, hardswish, leaky_relu, relu };

  Kind kind = Kind::identity;
  float slope = 0.0f;  ///< Of the negative side; leaky_relu only.

  friend bool operator==(const Activation&, const Activation&) = default;
};

/// nn.Conv2d with zero padding.
struct Conv2d {
  Tensor weight;                              ///< [O, I / groups, kH, kW]
  std::optional<Tensor> bias = std::nullopt;  ///< [O]
  Pair stride{1, 1};
  Pair padding{0, 0};  ///< The same on both sides.
  Pair dilation{1, 1};
  std::int64_t groups = 1;

  friend bool operator==(const Conv2d&, const Conv2d&) = default;
};

/// nn.BatchNorm2d with fixed statistics; every tensor is [C].
struct BatchNorm2d {
  Tensor weight;
  Tensor bias;
  Tensor running_mean;
  Tensor running_var;
  float eps = 0.0f;  ///< Ultralytics trains with 1e-3, PyTorch's default is 1e-5.

  friend bool operator==(const BatchNorm2d&, const BatchNorm2d&) = default;
};

/// nn.MaxPool2d; a last window that does not fit is dropped.
struct MaxPool2d {
  Pair kernel_size{1, 1};
  Pair stride{1, 1};
  Pair padding{0, 0};

  friend bool operator==(const MaxPool2d&, const MaxPool2d&) = default;
};

/// act(bn(conv(x))); also DWConv. A fused one has a bias in conv and no bn.
struct Conv {
  Conv2d conv;
  std::optional<BatchNorm2d> bn = std::nullopt;
  Activation act = {};

  friend bool operator==(const Conv&, const Conv&) = default;
};

/// conv of the four pixels of each 2x2 cell, stacked as channels in the order (row, column) =
/// (0, 0), (1, 0), (0, 1), (1, 1).
struct Focus {
  Conv conv;

  friend bool operator==(const Focus&, const Focus&) = default;
};

/// cv2(cv1(x)), plus x if `add`; also CrossConv.
struct Bottleneck {
  Conv cv1;
  Conv cv2;
  bool add = false;

  friend bool operator==(const Bottleneck&, const Bottleneck&) = default;
};

/// cv4(act(bn(concat(cv3(m(cv1(x))), cv2(x))))).
struct BottleneckCSP {
  Conv cv1;
  Conv2d cv2;
  Conv2d cv3;
  Conv cv4;
  BatchNorm2d bn;
  Activation act = {};
  std::vector<Bottleneck> m = {};

  friend bool operator==(const BottleneckCSP&, const BottleneckCSP&) = default;
};

/// cv3(concat(m(cv1(x)), cv2(x))); also C3x.
struct C3 {
  Conv cv1;
  Conv cv2;
  Conv cv3;
  std::vector<Bottleneck> m = {};

  friend bool operator==(const C3&, const C3&) = default;
};

/// cv2(concat(y, m0(y), m1(y), ...)) with y = cv1(x).
struct SPP {
  Conv cv1;
  Conv cv2;
  std::vector<MaxPool2d> m = {};

  friend bool operator==(const SPP&, const SPP&) = default;
};

/// cv2(concat(y, m(y), m(m(y)), m(m(m(y))))) with y = cv1(x).
struct SPPF {
  Conv cv1;
  Conv cv2;
  MaxPool2d m;

  friend bool operator==(const SPPF&, const SPPF&) = default;
};

/// C3 around an SPP.
struct C3SPP {
  Conv cv1;
  Conv cv2;
  Conv cv3;
  SPP m;

  friend bool operator==(const C3SPP&, const C3SPP&) = default;
};

struct Concat {
  std::int64_t d = 1;  ///< The axis.

  friend bool operator==(const Concat&, const Concat&) = default;
};

/// nn.Upsample, nearest.
struct Upsample {
  std::array<float, 2> scale_factor{2.0f, 2.0f};

  friend bool operator==(const Upsample&, const Upsample&) = default;
};

/// Pixels of each gain x gain cell become channels.
struct Contract {
  std::int64_t gain = 2;

  friend bool operator==(const Contract&, const Contract&) = default;
};

/// Channels become the pixels of gain x gain cells.
struct Expand {
  std::int64_t gain = 2;

  friend bool operator==(const Expand&, const Expand&) = default;
};

struct Module;

/// nn.Sequential: what a yaml's repeat count makes of a module.
struct Sequential {
  std::vector<Module> modules;

  friend bool operator==(const Sequential&, const Sequential&);
};

/// One 1x1 convolution per head. Strides, anchors and classes are in Description::info.
struct Detect {
  std::vector<Conv2d> m;  ///< Output channels: anchors * (5 + classes).

  friend bool operator==(const Detect&, const Detect&) = default;
};

struct Module {
  std::variant<Conv, Focus, Bottleneck, BottleneckCSP, C3, C3SPP, SPP, SPPF, Concat, Upsample,
               Contract, Expand, Conv2d, BatchNorm2d, MaxPool2d, Activation, Sequential, Detect>
      kind;

  friend bool operator==(const Module&, const Module&) = default;
};

/// A module and the layers that it reads: -1 is the one before (the image for the first), others
/// are indices of layers.
struct Layer {
  std::vector<int> from{-1};
  Module module;

  friend bool operator==(const Layer&, const Layer&) = default;
};

/// A whole detector. The last layer is Detect.
struct Description {
  std::vector<Layer> layers;
  ModelInfo info;

  friend bool operator==(const Description&, const Description&) = default;
};

}  // namespace yoloq::model
