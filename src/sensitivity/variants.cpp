// SPDX-License-Identifier: Apache-2.0
#include "sensitivity/variants.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "runtime/expose.h"

namespace yoloq::sensitivity {

namespace {

constexpr std::size_t kImage = std::numeric_limits<std::size_t>::max();

detect::HeadOutput view_of(runtime::Request& request, std::size_t index) {
  const runtime::TensorView view = request.output(index);
  return {.shape = view.shape, .values = view.values<float>()};
}

void copy(const runtime::TensorView& from, const runtime::TensorView& to) {
  std::memcpy(to.bytes.data(), from.bytes.data(), std::min(from.bytes.size(), to.bytes.size()));
}

}  // namespace

Variants::Variants(const graph::Graph& base, std::span<const graph::Graph> variants,
                   const VariantOptions& options)
    : outputs_(base.outputs.size()) {
  std::vector<std::string> inner;
  std::vector<bool> needed(outputs_, options.base_outputs);
  for (const graph::Graph& graph : variants) {
    Variant& variant = variants_.emplace_back(Variant{.difference = difference(base, graph)});
    for (const std::string& value : variant.difference.inputs) {
      if (!base.is_input(value) && std::ranges::find(inner, value) == inner.end()) {
        inner.push_back(value);
      }
    }
    for (std::size_t i = 0; i < outputs_; ++i) {
      if (std::ranges::find(variant.difference.outputs, i) == variant.difference.outputs.end()) {
        needed[i] = true;
      }
    }
  }
  graph::Graph shared = base;
  shared.outputs.clear();
  for (std::size_t i = 0; i < outputs_; ++i) {
    if (!needed[i]) continue;
    kept_.push_back(i);
    shared.outputs.push_back(base.outputs[i]);
  }
  const runtime::EngineOptions engine{
      .backend = options.backend, .mode = runtime::Mode::throughput, .threads = options.threads};
  shared = runtime::with_outputs(shared, inner);
  // A base of which nothing is needed but the image itself still has to say something.
  if (shared.outputs.empty()) shared = base;
  base_ = runtime::compile(shared, engine);
  for (Variant& variant : variants_) {
    for (const std::string& value : variant.difference.inputs) {
      const auto place = std::ranges::find(inner, value) - inner.begin();
      variant.sources.push_back(
          base.is_input(value) ? kImage : kept_.size() + static_cast<std::size_t>(place));
    }
    variant.engine = runtime::compile(variant.difference.graph, engine);
  }
}

void Variants::run_variant(std::size_t index, runtime::Request& base, runtime::Request& own) const {
  const Variant& variant = variants_[index];
  for (std::size_t i = 0; i < variant.sources.size(); ++i) {
    const std::size_t source = variant.sources[i];
    copy(source == kImage ? base.input(0) : base.output(source), own.input(i));
  }
  own.run();
}

void Variants::visit_image(const pipeline::Item& item, runtime::Request& request,
                           Requests& requests, const Visit& visit) const {
  std::vector<detect::HeadOutput> base(outputs_);
  for (std::size_t i = 0; i < kept_.size(); ++i) base[kept_[i]] = view_of(request, i);
  for (std::size_t v = 0; v < variants_.size(); ++v) {
    run_variant(v, request, *requests[v]);
    std::vector<detect::HeadOutput> outputs = base;
    const auto& changed = variants_[v].difference.outputs;
    for (std::size_t i = 0; i < changed.size(); ++i) {
      outputs[changed[i]] = view_of(*requests[v], i);
    }
    visit({.item = item, .variant = v, .base = base, .outputs = outputs});
  }
}

pipeline::StreamReport Variants::run(std::span<const std::filesystem::path> images,
                                     vision::Size size, const Progress& progress,
                                     const Visit& visit) const {
  std::mutex mutex;
  std::map<const runtime::Request*, Requests> workers;
  const auto requests_of = [&](const runtime::Request& request) -> Requests& {
    const std::scoped_lock lock(mutex);
    Requests& requests = workers[&request];
    while (requests.size() < variants_.size()) {
      requests.push_back(variants_[requests.size()].engine->make_request());
    }
    return requests;
  };
  // A worker more than there are streams would only need more memory: it is all computing.
  const pipeline::StreamOptions stream{
      .size = size, .workers = base_->streams(), .progress = progress};
  return pipeline::stream_images(
      *base_, images, stream,
      [&](std::span<const pipeline::Item> items, runtime::Request& request) {
        visit_image(items.front(), request, requests_of(request), visit);
      });
}

}  // namespace yoloq::sensitivity
