// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <memory>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "checkpoint/checkpoint.h"
#include "checkpoint/state_dict.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/progress_bar.h"
#include "cli/provenance.h"
#include "core/error.h"
#include "core/file.h"
#include "dataset/data_yaml.h"
#include "dataset/images.h"
#include "onnx/model_file.h"
#include "onnx/upgrade.h"
#include "pipeline/calibration.h"
#include "pipeline/float_types.h"
#include "pipeline/model.h"
#include "pipeline/state_dict.h"
#include "pipeline/training_checkpoint.h"
#include "quantize/float_type.h"
#include "transform/passes.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct ExportArguments {
  fs::path weights;
  SizeArguments size;
  JsonArguments json;
  std::vector<fs::path> files;  ///< in.onnx out.onnx of `--simplify in.onnx out.onnx`.
  fs::path out;
  std::int64_t batch = 1;
  int opset = 13;
  std::string head = "raw";
  std::string float_type = "fp32";
  fs::path data;
  std::string split = "train";
  std::size_t images = 64;
  bool skip_bad = false;
  fs::path cache = ".cache/yoloq";
  bool dynamic = false;
  bool simplify = false;
  bool focus_to_conv = false;
};

bool is_training_checkpoint(const fs::path& path) { return path.extension() == ".ckpt"; }

/// What training wrote, as it is deployed: with the Q/DQ nodes of quantization-aware training.
graph::Graph from_training(const ExportArguments& arguments) {
  if (arguments.head != "raw") {
    fail(ErrorCode::bad_argument, "'{}' has raw heads: --head decoded is for .pt files",
         arguments.weights.string());
  }
  auto model = pipeline::load_model(
      arguments.weights,
      {.size = arguments.size.size(), .batch = arguments.batch, .dynamic = true});
  graph::Graph graph = std::move(arguments.dynamic ? model.graph : model.fixed);
  if (graph.opset() < arguments.opset) onnx::upgrade_opset(graph, arguments.opset);
  return graph;
}

graph::Graph from_checkpoint(const ExportArguments& arguments) {
  if (is_training_checkpoint(arguments.weights)) return from_training(arguments);
  const vision::Size size = arguments.size.size().value_or(vision::Size{640, 640});
  model::EmitOptions emit{.batch = arguments.batch,
                          .height = size.height,
                          .width = size.width,
                          .head = arguments.head == "raw" ? model::Head::raw : model::Head::decoded,
                          .opset = arguments.opset};
  if (arguments.dynamic) emit.batch = emit.height = emit.width = std::nullopt;
  graph::Graph graph = checkpoint::load_graph(arguments.weights, emit);
  transform::fold_batch_norm(graph);
  return graph;
}

graph::Graph from_onnx(const fs::path& path) {
  graph::Graph graph = onnx::read_model(path);
  if (graph.opset() < onnx::kFirstTarget) onnx::upgrade_opset(graph, onnx::kFirstTarget);
  return graph;
}

/// Images of the data set, over which a pass says what values a float model computes.
struct Sight {
  std::vector<fs::path> images;
  pipeline::CalibrationOptions how;
};

Sight sight_of(const ExportArguments& arguments) {
  Sight sight{.how = {.size = arguments.size.size().value_or(vision::Size{640, 640}),
                      .cache = arguments.cache,
                      .skip_bad = arguments.skip_bad,
                      .progress = progress_bar("ranges")}};
  if (arguments.data.empty()) return sight;
  const auto dataset = dataset::read_data_yaml(arguments.data);
  sight.images =
      pipeline::pick_images(dataset::list_images(dataset, arguments.split), arguments.images);
  return sight;
}

/// The size that the images of a pass have: the graph's where that is fixed.
vision::Size size_for(const graph::Graph& graph, vision::Size wish) {
  const auto& dims = graph.inputs.front().type.dims;
  if (!dims || dims->size() != 4) {
    fail(ErrorCode::unsupported, "the first input is not a batch of images [N, 3, H, W]");
  }
  const auto side = [](const graph::Dim& dim, int fallback) {
    return dim.known() ? static_cast<int>(dim.size) : fallback;
  };
  return {.width = side((*dims)[3], wish.width), .height = side((*dims)[2], wish.height)};
}

/// Makes the float part float16 but for what would not fit; returns that.
std::vector<quantize::Fp32Node> set_half(const ExportArguments& arguments, graph::Graph& graph) {
  if (pipeline::is_quantized(graph)) {
    fail(ErrorCode::bad_argument,
         "the file is quantized: 'yoloq quantize --float-type fp16' sets its float type and makes "
         "its scales fit");
  }
  std::vector<quantize::Fp32Node> found;
  Sight sight = sight_of(arguments);
  if (sight.images.empty()) {
    fmt::print(
        "notice: whether its values fit in float16 was not checked: that takes images, --data\n");
    found = quantize::find_fp32_nodes(graph, {});
  } else {
    sight.how.size = size_for(graph, sight.how.size);
    const graph::Graph fixed = pipeline::with_input(graph, 1, sight.how.size);
    found = pipeline::nodes_beyond_half(graph, [&](const std::vector<std::string>& tensors) {
      return pipeline::calibrate_model(fixed, tensors, sight.images, sight.how).ranges;
    });
  }
  quantize::FloatTypeOptions types{.type = quantize::Precision::fp16, .nodes = {}};
  for (const auto& node : found) types.nodes[node.name] = quantize::Precision::fp32;
  quantize::set_float_type(graph, types);
  return found;
}

void write(const ExportArguments& arguments, graph::Graph graph, const fs::path& out) {
  const std::size_t before = graph.node_count();
  if (arguments.focus_to_conv) transform::focus_to_conv(graph);
  if (arguments.simplify) transform::simplify(graph);
  const bool half = quantize::float_type_named(arguments.float_type) == quantize::Precision::fp16;
  const auto fp32_nodes = half ? set_half(arguments, graph) : std::vector<quantize::Fp32Node>{};
  onnx::write_model(graph, out);
  fmt::print("{}: {} nodes, opset {}, {:.2f} MB\n", out.string(), graph.node_count(), graph.opset(),
             static_cast<double>(written_bytes(out)) / 1e6);
  nlohmann::ordered_json json{{"file", out.string()},
                              {"nodes", graph.node_count()},
                              {"nodes_before", before},
                              {"opset", graph.opset()},
                              {"bytes", written_bytes(out)},
                              {"float_type", arguments.float_type},
                              {"ranges_checked", half && !arguments.data.empty()},
                              {"fp32_layers", nlohmann::ordered_json::array()}};
  for (const auto& [name, why] : fp32_nodes) {
    fmt::print("fp32: {}: {}\n", name, why);
    json["fp32_layers"].push_back({{"name", name}, {"why", why}});
  }
  arguments.json.write(text_of(json));
}

/// The float weights by the names that they have in PyTorch.
void write_weights(const ExportArguments& arguments, const fs::path& out) {
  if (arguments.float_type != "fp32" || arguments.simplify || arguments.focus_to_conv) {
    fail(ErrorCode::bad_usage,
         "a state_dict ('{}') holds the weights as they are: no --simplify, "
         "--focus-to-conv or --float-type fp16",
         out.string());
  }
  const graph::Graph graph = is_training_checkpoint(arguments.weights)
                                 ? pipeline::read_training_checkpoint(arguments.weights).model
                                 : checkpoint::load_graph(arguments.weights);
  const auto tensors = pipeline::state_dict_of(graph);
  checkpoint::write_state_dict(out, tensors);
  fmt::print("{}: state_dict of {} tensors, {:.2f} MB\n", out.string(), tensors.size(),
             static_cast<double>(written_bytes(out)) / 1e6);
  const nlohmann::ordered_json json{
      {"file", out.string()}, {"tensors", tensors.size()}, {"bytes", written_bytes(out)}};
  arguments.json.write(text_of(json));
}

/// A checkpoint of training to pass on: without the state of training, weights in float16.
void write_stripped(const ExportArguments& arguments, const fs::path& out) {
  if (!is_training_checkpoint(arguments.weights)) {
    fail(ErrorCode::bad_argument, "'{}' is no checkpoint of training (.ckpt), which '{}' is to be",
         arguments.weights.string(), out.string());
  }
  const auto checkpoint = pipeline::read_training_checkpoint(arguments.weights);
  write_file(out, pipeline::serialize(pipeline::stripped(checkpoint)));
  fmt::print("{}: weights in float16, {:.2f} MB\n", out.string(),
             static_cast<double>(written_bytes(out)) / 1e6);
  arguments.json.write(
      text_of(nlohmann::ordered_json{{"file", out.string()}, {"bytes", written_bytes(out)}}));
}

/// Before minutes of work: both files can be written, neither is one that is read.
void require_outputs(const ExportArguments& arguments, const fs::path& out) {
  const std::array inputs{arguments.weights.empty() ? arguments.files.front() : arguments.weights,
                          arguments.data};
  require_writable(out, inputs);
  require_writable(arguments.json.file, inputs);
}

void run_export(const ExportArguments& arguments) {
  if (!arguments.weights.empty()) {
    if (!arguments.files.empty()) {
      fail(ErrorCode::bad_usage, "--weights is written to --out; '{}' is one file too many",
           arguments.files.front().string());
    }
    fs::path out = arguments.out;
    if (out.empty()) out = fs::path(arguments.weights).replace_extension(".onnx");
    require_outputs(arguments, out);
    if (out.extension() == ".pt" || out.extension() == ".pth") {
      write_weights(arguments, out);
      return;
    }
    if (is_training_checkpoint(out)) {
      write_stripped(arguments, out);
      return;
    }
    write(arguments, from_checkpoint(arguments), out);
    return;
  }
  if (arguments.files.empty() || arguments.files.size() + (arguments.out.empty() ? 0 : 1) != 2) {
    fail(ErrorCode::bad_usage, "give --weights, or an ONNX file to read and one to write");
  }
  const fs::path out = arguments.out.empty() ? arguments.files[1] : arguments.out;
  require_outputs(arguments, out);
  write(arguments, from_onnx(arguments.files[0]), out);
}

}  // namespace

void declare_export(CLI::App& app) {
  const auto arguments = std::make_shared<ExportArguments>();
  app.add_option("--weights", arguments->weights,
                 "checkpoint: of YOLOv5 (.pt) or of training (.ckpt)");
  app.add_option("files", arguments->files, "instead: ONNX file to read, ONNX file to write")
      ->expected(0, 2);
  app.add_option(
      "--out", arguments->out,
      "ONNX file to write, default: beside the checkpoint; x.pt: the weights for PyTorch");
  arguments->size.declare(app);
  arguments->json.declare(app);
  app.add_option("--batch,--batch-size", arguments->batch, "images per inference")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--opset", arguments->opset, "ONNX operator set")
      ->check(CLI::Range(13, 19))
      ->capture_default_str();
  app.add_option("--head", arguments->head, "raw: three heads; decoded: boxes")
      ->check(CLI::IsMember({"raw", "decoded"}))
      ->capture_default_str();
  app.add_flag("--dynamic", arguments->dynamic, "choose batch, height and width at run time");
  app.add_flag("--simplify", arguments->simplify, "fold constants and remove what does nothing");
  app.add_option("--float-type", arguments->float_type,
                 "fp16: compute in float16, but for inputs, outputs and what would not fit")
      ->check(CLI::IsMember({"fp32", "fp16"}))
      ->capture_default_str();
  app.add_option("--data", arguments->data, "data set yaml: with fp16, images to check ranges on");
  app.add_option("--split", arguments->split, "split to check ranges on")->capture_default_str();
  app.add_option("--images", arguments->images, "how many images to check ranges on")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--cache", arguments->cache, "folder of calibration caches; '' for none")
      ->capture_default_str();
  app.add_flag("--skip-bad", arguments->skip_bad, "leave out images that do not decode");
  app.add_flag("--focus-to-conv", arguments->focus_to_conv,
               "write a Focus layer as the equal 6x6 convolution");
  app.callback([arguments] { run_export(*arguments); });
}

}  // namespace yoloq::cli
