// SPDX-License-Identifier: Apache-2.0
#include "train/detail/read_head.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

namespace yoloq::train::detail {

namespace {

using std::int64_t;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr int64_t kObjectness = 4;

/// Where the fields of `cells` are among the head's values: [n, fields].
at::Tensor offsets_of(const at::Tensor& cells, int64_t fields, int64_t area) {
  const at::Tensor grids = cells.div(area, "floor");
  const at::Tensor first = grids * (fields * area) + (cells - grids * area);
  return first.unsqueeze(1) + at::arange(fields, cells.options()) * area;
}

class ReadHead : public torch::autograd::Function<ReadHead> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& head, int64_t anchors,
                               const at::Tensor& cells) {
    const at::Tensor values = head.contiguous();
    const int64_t fields = head.size(1) / anchors;
    const at::Tensor offsets = offsets_of(cells, fields, head.size(2) * head.size(3));
    context->saved_data["sizes"] = head.sizes();
    context->saved_data["anchors"] = anchors;
    context->saved_data["offsets"] = offsets;
    const at::Tensor grid =
        values.view({head.size(0), anchors, fields, head.size(2), head.size(3)});
    return {grid.select(2, kObjectness).contiguous().to(at::kFloat),
            values.view(-1).index_select(0, offsets.view(-1)).view(offsets.sizes()).to(at::kFloat)};
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const std::vector<int64_t> sizes = context->saved_data["sizes"].toIntVector();
    const int64_t anchors = context->saved_data["anchors"].toInt();
    const at::Tensor offsets = context->saved_data["offsets"].toTensor();
    const at::Tensor head = at::zeros(sizes, gradients[0].options());
    head.view({sizes[0], anchors, sizes[1] / anchors, sizes[2], sizes[3]})
        .select(2, kObjectness)
        .copy_(gradients[0]);
    head.view(-1).index_put_({offsets.view(-1)}, gradients[1].reshape(-1), /*accumulate=*/true);
    return {head, at::Tensor(), at::Tensor()};
  }
};

}  // namespace

HeadReading read_head(const at::Tensor& head, int64_t anchors, const at::Tensor& cells) {
  const variable_list read = ReadHead::apply(head, anchors, cells);
  return {.objectness = read[0], .rows = read[1]};
}

}  // namespace yoloq::train::detail
