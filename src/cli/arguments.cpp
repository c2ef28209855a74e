// SPDX-License-Identifier: Apache-2.0
#include "cli/arguments.h"

#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <set>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/file.h"
#include "pipeline/detector.h"
#include "runtime/engine_file.h"

namespace yoloq::cli {

namespace fs = std::filesystem;

namespace {

constexpr int kLargestStride = 32;
constexpr int kLargestSide = 8192;

int checked_side(int side) {
  if (side > 0 && side <= kLargestSide && side % kLargestStride == 0) return side;
  fail(ErrorCode::bad_argument,
       "--img {} cannot be used: a side is a multiple of {}, at most {} (the nearest is {})", side,
       kLargestStride, kLargestSide,
       std::clamp((side + kLargestStride / 2) / kLargestStride, 1, kLargestSide / kLargestStride) *
           kLargestStride);
}

/// Of a runtime's log; it may come from any of its threads.
void print_line(std::string_view line) { fmt::print(stderr, "{}\n", line); }

/// Positive numbers separated by commas; empty if the text is anything else.
std::vector<float> numbers_of(const std::string& list) {
  std::vector<float> numbers;
  const char* place = list.data();
  const char* end = place + list.size();
  while (place < end) {
    float number = 0;
    const auto [next, problem] = std::from_chars(place, end, number);
    const bool separated = next == end || *next == ',';
    if (problem != std::errc() || !separated || !(number > 0)) return {};
    numbers.push_back(number);
    place = next == end ? end : next + 1;
  }
  return numbers;
}

}  // namespace

void ModelArguments::declare(CLI::App& app, bool with_engines) {
  app.add_option("--weights", weights, "checkpoint: of YOLOv5 (.pt) or of training (.ckpt)");
  app.add_option("--model", models, "ONNX file");
  app.add_option("--anchors", anchors,
                 "for files that do not say: width,height,... in pixels, one list per head, fine "
                 "to coarse")
      ->expected(1, 8);
  if (with_engines) app.add_option("--engine", engines, "compiled model of 'yoloq build'");
}

detect::HeadHints ModelArguments::hints(std::vector<std::string> names) const {
  detect::HeadHints hints{.names = std::move(names)};
  for (const std::string& list : anchors) {
    const auto numbers = numbers_of(list);
    if (numbers.empty() || numbers.size() % 2 != 0) {
      fail(ErrorCode::bad_argument,
           "--anchors '{}' is no list of widths and heights such as 10,13,16,30,33,23", list);
    }
    auto& level = hints.anchors.emplace_back();
    for (std::size_t i = 0; i < numbers.size(); i += 2) {
      level.push_back({numbers[i], numbers[i + 1]});
    }
  }
  return hints;
}

std::vector<fs::path> ModelArguments::all() const {
  std::vector<fs::path> paths = weights;
  paths.insert(paths.end(), models.begin(), models.end());
  paths.insert(paths.end(), engines.begin(), engines.end());
  if (paths.empty()) fail(ErrorCode::bad_usage, "which model? Give --weights, --model or --engine");
  return paths;
}

fs::path ModelArguments::one() const {
  const auto paths = all();
  if (paths.size() == 1) return paths.front();
  fail(ErrorCode::bad_usage, "{} models were given; this command takes one", paths.size());
}

void SizeArguments::declare(CLI::App& app) {
  app.add_option("--img,--imgsz", img, "input size in pixels: one number, or height and width")
      ->expected(1, 2);
}

std::optional<vision::Size> SizeArguments::size() const {
  if (img.empty()) return std::nullopt;
  return vision::Size{.width = checked_side(img.back()), .height = checked_side(img.front())};
}

void DataArguments::declare(CLI::App& app, bool required) {
  app.add_option("--data", data, "data set yaml")->required(required);
  app.add_option("--annotations", annotations,
                 "COCO ground truth of --split; else found beside the data or in labels");
  app.add_option("--split", split, "train, val or test")->capture_default_str();
  app.add_flag("--skip-bad", skip_bad, "leave out images that do not decode, and say which");
}

void EngineArguments::declare(CLI::App& app) {
  backend_option_ = app.add_option("--backend", backend, "runtime")->capture_default_str();
  dtype_option_ = app.add_option("--dtype", dtype, "type of the float part: fp32, bf16, fp16")
                      ->capture_default_str();
  app.add_option("--threads", threads, "0: all that the process may use")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--streams", streams, "images computed side by side; 0: one per thread")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--batch-size,--batch", batch_size, "images per inference")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_option("--device,--devices", devices,
                 "GPU, counted from 0; several share the images of 'eval' and 'bench': 0,1")
      ->delimiter(',')
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_flag("--cuda-graph", cuda_graph, "record a run on the GPU once, replay it afterwards");
  app.add_flag("--gpu-letterbox", gpu_letterbox, "resize and pad images on the GPU");
  app.add_flag("--verbose", verbose, "print every line that the runtime says");
}

void EngineArguments::require_as_built(std::span<const fs::path> files) const {
  const bool backend_given = backend_option_->count() > 0;
  const bool dtype_given = dtype_option_->count() > 0;
  if (!backend_given && !dtype_given) return;
  if (std::ranges::any_of(files, pipeline::is_model_file)) return;
  for (const fs::path& path : files) {
    const runtime::EngineFile file = runtime::read_engine_file(path);
    if (backend_given && backend != file.backend) {
      fail(ErrorCode::bad_argument, "--backend {}: '{}' was built for {}; leave it out", backend,
           path.string(), file.backend);
    }
    if (!dtype_given || runtime::float_type_of(dtype) == runtime::float_type_of(file.float_type)) {
      continue;
    }
    fail(ErrorCode::bad_argument,
         "--dtype {}: the float part of '{}' was built as {}; leave it out, or build the file anew",
         dtype, path.string(), file.float_type);
  }
}

runtime::EngineOptions EngineArguments::options(runtime::Mode mode) const {
  for (auto device = devices.begin(); device != devices.end(); ++device) {
    if (std::find(devices.begin(), device, *device) == device) continue;
    fail(ErrorCode::bad_argument, "--devices names device {} twice", *device);
  }
  return {.backend = backend,
          .float_type = runtime::float_type_of(dtype),
          .mode = mode,
          .threads = threads,
          .streams = streams,
          .gpu = {.device = devices.front(),
                  .replicas = {devices.begin() + 1, devices.end()},
                  .cuda_graph = cuda_graph,
                  .letterbox = gpu_letterbox},
          .log = verbose ? print_line : decltype(runtime::EngineOptions::log){}};
}

void JsonArguments::declare(CLI::App& app) {
  app.add_option("--json", file, "write the result for machines");
}

void JsonArguments::write(const std::string& text) const {
  if (!file.empty()) write_file(file, text + "\n");
}

void RunArguments::declare(CLI::App& app) {
  app.add_option("--run", folder, "folder to write into what 'yoloq report' needs");
}

void require_writable(const fs::path& file) {
  if (file.empty()) return;
  std::error_code problem;
  if (file.has_parent_path()) fs::create_directories(file.parent_path(), problem);
  if (problem)
    fail(ErrorCode::io, "cannot make '{}': {}", file.parent_path().string(), problem.message());
  if (fs::is_directory(file))
    fail(ErrorCode::io, "cannot write '{}': it is a folder", file.string());

  const WriteTarget target = write_target(file);
  if (target.straight) {  // Not opened: a pipe's reader would see its end.
    if (::access(file.c_str(), W_OK) == 0) return;
    fail(ErrorCode::io, "cannot write '{}': {}", file.string(), std::strerror(errno));
  }
  const std::string trial = target.path.string() + ".trial." + std::to_string(::getpid());
  const int descriptor = ::open(trial.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0)
    fail(ErrorCode::io, "cannot write '{}': {}", file.string(), std::strerror(errno));
  ::close(descriptor);
  ::unlink(trial.c_str());
}

std::function<std::string(std::string)> other_name(std::string other, std::string own) {
  return [other = std::move(other), own = std::move(own)](const std::string& name) {
    return name == other ? own : name;
  };
}

void refuse_options(const CLI::App& app, std::span<const std::string_view> names,
                    std::string_view beside) {
  for (const std::string_view name : names) {
    const CLI::Option* option = app.get_option_no_throw(std::string(name));
    if (option == nullptr || option->count() == 0) continue;
    fail(ErrorCode::bad_usage, "{} does not go with {}", name, beside);
  }
}

void refuse_options_but(const CLI::App& app, std::span<const std::string_view> names,
                        std::string_view beside) {
  for (const CLI::Option* option : app.get_options()) {
    const auto is_name = [&](std::string_view name) {
      return option->check_name(std::string(name));
    };
    if (option->count() == 0 || std::ranges::any_of(names, is_name)) continue;
    fail(ErrorCode::bad_usage, "{} does not go with {}", option->get_name(), beside);
  }
}

void require_other_files(std::span<const fs::path> outputs, std::span<const fs::path> inputs) {
  std::error_code problem;
  std::set<fs::path> read;
  for (const fs::path& input : inputs) {
    if (const fs::path place = fs::canonical(input, problem); !problem) read.insert(place);
  }
  for (const fs::path& output : outputs) {
    const fs::path place = fs::canonical(output, problem);
    if (problem || !read.contains(place)) continue;
    fail(ErrorCode::bad_usage, "'{}' is read by this command, which would overwrite it",
         output.string());
  }
}

void require_writable(const fs::path& file, std::span<const fs::path> inputs) {
  require_other_files({&file, 1}, inputs);
  require_writable(file);
}

std::uintmax_t written_bytes(const fs::path& file) {
  return fs::is_regular_file(file) ? fs::file_size(file) : 0;
}

}  // namespace yoloq::cli
