// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "checkpoint/checkpoint.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "core/error.h"
#include "onnx/model_file.h"
#include "onnx/upgrade.h"
#include "transform/passes.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

struct Arguments {
  fs::path weights;
  SizeArguments size;
  JsonArguments json;
  std::vector<fs::path> files;  ///< in.onnx out.onnx of `--simplify in.onnx out.onnx`.
  fs::path out;
  std::int64_t batch = 1;
  int opset = 13;
  std::string head = "raw";
  bool dynamic = false;
  bool simplify = false;
  bool focus_to_conv = false;
};

graph::Graph from_checkpoint(const Arguments& arguments) {
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

void write(const Arguments& arguments, graph::Graph graph, const fs::path& out) {
  const std::size_t before = graph.node_count();
  if (arguments.focus_to_conv) transform::focus_to_conv(graph);
  if (arguments.simplify) transform::simplify(graph);
  require_writable(out);
  onnx::write_model(graph, out);
  fmt::print("{}: {} nodes, opset {}, {:.2f} MB\n", out.string(), graph.node_count(), graph.opset(),
             static_cast<double>(fs::file_size(out)) / 1e6);
  const nlohmann::ordered_json json{{"file", out.string()},
                                    {"nodes", graph.node_count()},
                                    {"nodes_before", before},
                                    {"opset", graph.opset()},
                                    {"bytes", fs::file_size(out)}};
  arguments.json.write(json.dump(2));
}

void run(const Arguments& arguments) {
  if (!arguments.weights.empty()) {
    if (!arguments.files.empty()) {
      fail(ErrorCode::bad_usage, "--weights is written to --out; '{}' is one file too many",
           arguments.files.front().string());
    }
    fs::path out = arguments.out;
    if (out.empty()) out = fs::path(arguments.weights).replace_extension(".onnx");
    write(arguments, from_checkpoint(arguments), out);
    return;
  }
  if (arguments.files.empty() || arguments.files.size() + (arguments.out.empty() ? 0 : 1) != 2) {
    fail(ErrorCode::bad_usage, "give --weights, or an ONNX file to read and one to write");
  }
  const fs::path out = arguments.out.empty() ? arguments.files[1] : arguments.out;
  write(arguments, from_onnx(arguments.files[0]), out);
}

}  // namespace

void declare_export(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  app.add_option("--weights", arguments->weights, "YOLOv5 checkpoint (.pt)");
  app.add_option("files", arguments->files, "instead: ONNX file to read, ONNX file to write")
      ->expected(0, 2);
  app.add_option("--out", arguments->out, "ONNX file to write; default: beside the checkpoint");
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
  app.add_flag("--focus-to-conv", arguments->focus_to_conv,
               "write a Focus layer as the equal 6x6 convolution");
  app.callback([arguments] { run(*arguments); });
}

}  // namespace yoloq::cli
