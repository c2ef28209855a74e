// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/progress.h"

namespace yoloq::dataset {

/// Something that is wrong, or at least strange, about a data set.
struct DataFinding {
  enum class Kind {
    bad_image,       ///< It is not there or does not decode.
    bad_label,       ///< A line of a label file cannot be used.
    no_label_files,  ///< No image at all has one.
    no_label_file,   ///< An image has none: it is taken to show nothing.
    outside,         ///< A box reaches beyond the image; training cuts it there.
    no_area,         ///< A box without width or height; training leaves it out.
    duplicate,       ///< A box that the file has already; training takes it once.
    unused_class,    ///< No box is of this class.
  };

  Kind kind = Kind::bad_image;
  std::string where = {};  ///< "labels/1.txt:3", an image or a class.
  std::string what = {};   ///< A sentence.

  /// True if training would stop at it.
  bool fatal() const { return kind <= Kind::no_label_files; }

  friend bool operator==(const DataFinding&, const DataFinding&) = default;
};

/// "bad image", "bad label", ...
std::string_view name_of(DataFinding::Kind kind);

/// How often a class comes.
struct ClassCount {
  std::string name;
  std::size_t boxes = 0;
  std::size_t images = 0;  ///< Those that show it.

  friend bool operator==(const ClassCount&, const ClassCount&) = default;
};

struct DataReport {
  std::size_t images = 0;
  std::size_t unlabelled = 0;  ///< Without a label file.
  std::size_t empty = 0;       ///< With a label file that has no box.
  std::size_t boxes = 0;       ///< Those that can be used.
  std::vector<ClassCount> classes = {};
  std::vector<DataFinding> findings = {};  ///< By kind, then in the order of images and lines.

  bool fatal() const;
};

struct CheckDataOptions {
  bool decode = true;  ///< False: of the images, look at headers and ends of files only.
  int threads = 0;     ///< 0: available_threads().
};

/// Looks at every image and every line of every label file, and lists all that it finds.
///
/// @param names  of the classes.
/// @throws Error(bad_argument) if there are no images or no classes.
DataReport check_data(std::span<const std::filesystem::path> images,
                      std::span<const std::string> names, const CheckDataOptions& options = {},
                      const Progress& progress = {});

}  // namespace yoloq::dataset
