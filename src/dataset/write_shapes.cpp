// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "dataset/label_cache.h"
#include "dataset/shapes.h"

namespace yoloq::dataset {

namespace fs = std::filesystem;

namespace {

constexpr int kJpegQuality = 92;
constexpr std::size_t kDigits = 6;
constexpr std::array<const char*, 2> kShapeSplits{"train", "val"};

/// "000012.jpg" of images/train, of the files that this generator writes, or a label cache of
/// theirs, which a training left.
bool is_made_name(const fs::path& relative) {
  const fs::path folder = relative.parent_path();
  const std::string stem = relative.stem().string();
  for (const char* split : kShapeSplits) {
    if (is_label_cache_of(fs::path("labels") / split, relative)) return true;
    const bool image = folder == fs::path("images") / split && relative.extension() == ".jpg";
    const bool label = folder == fs::path("labels") / split && relative.extension() == ".txt";
    if ((image || label) && stem.size() == kDigits &&
        stem.find_first_not_of("0123456789") == std::string::npos) {
      return true;
    }
  }
  return relative == "data.yaml";
}

/// Files of an earlier data set; refuses a folder with anything else in it.
std::vector<fs::path> earlier_files(const fs::path& folder, bool force) {
  std::vector<fs::path> files;
  if (!fs::exists(folder)) return files;
  if (!fs::is_directory(folder)) {
    fail(ErrorCode::bad_argument, "'{}' is a file; expected a folder to be made", folder.string());
  }
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!force) {
      fail(ErrorCode::bad_argument,
           "the folder '{}' is not empty; name another, or replace an earlier data set of shapes "
           "with --force",
           folder.string());
    }
    if (entry.is_directory()) continue;
    if (!is_made_name(fs::relative(entry.path(), folder))) {
      fail(ErrorCode::bad_argument,
           "'{}' is no file of a data set of shapes: the folder is left as it is; name another",
           entry.path().string());
    }
    files.push_back(entry.path());
  }
  return files;
}

/// Empty folders for images and labels. The yaml goes first, so that half a data set has none.
void make_room(const fs::path& folder, bool force) {
  const std::vector<fs::path> earlier = earlier_files(folder, force);
  fs::remove(folder / "data.yaml");
  for (const fs::path& file : earlier) fs::remove(file);
  for (const char* split : kShapeSplits) {
    fs::create_directories(folder / "images" / split);
    fs::create_directories(folder / "labels" / split);
  }
}

std::string label_text(const std::vector<Label>& labels) {
  std::string text;
  for (const Label& label : labels) {
    text += fmt::format("{} {:.6f} {:.6f} {:.6f} {:.6f}\n", label.class_index, label.x, label.y,
                        label.width, label.height);
  }
  return text;
}

/// Writes images of both splits from any thread.
class ShapesWriter {
 public:
  ShapesWriter(const fs::path& folder, const ShapesOptions& options)
      : folder_(folder), options_(&options) {
    summary_.boxes.resize(static_cast<std::size_t>(options.class_count), 0);
  }

  std::size_t count() const {
    return static_cast<std::size_t>(options_->train_images) +
           static_cast<std::size_t>(options_->val_images);
  }

  void write(std::size_t number) {
    const auto train = static_cast<std::size_t>(options_->train_images);
    const std::size_t split = number < train ? 0 : 1;
    const std::size_t index = split == 0 ? number : number - train;
    const Random random = Random(options_->seed).stream(split).stream(index);
    const ShapesImage made = draw_shapes(*options_, random);

    const std::string stem = fmt::format("{:06}", index);
    write_file(folder_ / "images" / kShapeSplits.at(split) / (stem + ".jpg"),
               vision::encode_jpeg(made.image, kJpegQuality));
    write_file(folder_ / "labels" / kShapeSplits.at(split) / (stem + ".txt"),
               label_text(made.labels));
    add(made);
  }

  const ShapesSummary& summary() const { return summary_; }

 private:
  void add(const ShapesImage& made) {
    const std::lock_guard lock(mutex_);
    ++summary_.images;
    for (const Label& label : made.labels) {
      ++summary_.boxes.at(static_cast<std::size_t>(label.class_index));
    }
    if (options_->progress) options_->progress(summary_.images, count());
  }

  fs::path folder_;
  const ShapesOptions* options_;
  std::mutex mutex_;
  ShapesSummary summary_;
};

/// A text between single quotes in yaml.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char letter : text) result += letter == '\'' ? "''" : std::string(1, letter);
  return result + "'";
}

/// The root is an absolute path: a relative one would first be looked for from the folder that a
/// command is started in, and find another data set of that name there.
std::string data_yaml_of(const fs::path& folder, const ShapesOptions& options) {
  const std::vector<std::string> all = shape_names();
  const auto count = static_cast<std::size_t>(options.class_count);
  const std::vector<std::string> names(all.begin(), all.begin() + options.class_count);
  fs::path whole = fs::absolute(folder).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  return fmt::format(
      "# Made by: yoloq dataset shapes --images {} --val {} --img {} --classes {} --seed {}\n"
      "path: {}\ntrain: images/train\nval: images/val\nnc: {}\nnames: [{}]\n",
      options.train_images, options.val_images, options.side, count, options.seed,
      quoted(whole.string()), count, fmt::join(names, ", "));
}

}  // namespace

ShapesSummary write_shapes(const fs::path& folder, const ShapesOptions& options) {
  check_shapes_options(options);
  try {
    make_room(folder, options.force);
  } catch (const fs::filesystem_error& error) {
    fail(ErrorCode::io, "cannot make the folders of '{}': {}", folder.string(),
         error.code().message());
  }
  ShapesWriter writer(folder, options);
  const int all = tbb::info::default_concurrency();
  tbb::task_arena arena(options.threads > 0 ? std::min(options.threads, all) : all);
  arena.execute([&] {
    tbb::parallel_for(std::size_t{0}, writer.count(), [&](std::size_t i) { writer.write(i); });
  });
  write_file(folder / "data.yaml", data_yaml_of(folder, options));
  return writer.summary();
}

}  // namespace yoloq::dataset
