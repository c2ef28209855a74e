// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "dataset/data_yaml.h"

namespace yoloq::dataset {

/// Paths of image files, sorted by their text, none twice.
using ImageList = std::vector<std::filesystem::path>;

/// The images of a split ("train", "val", "test"). Whether each file is an image, or is there when
/// a list file names it, shows when it is read.
///
/// @throws Error(not_found) if the yaml has no such split, or an entry is not there (with every
/// place tried) or holds no image, Error(corrupt_file) with file and line for a bad list file,
/// Error(bad_argument) if an image comes twice.
ImageList list_images(const Dataset& dataset, std::string_view split);

/// The folders of resolve.h's places() that the split's images were found under, in the order of
/// its entries; empty if there are none or absolute entries are under none.
std::vector<std::filesystem::path> image_roots(const Dataset& dataset, std::string_view split);

/// The images of one source:
///
/// - a folder: every image in it and the folders below, each visited once where links lead back;
///   what is hidden (`._a.jpg`, `.ipynb_checkpoints`) is left out;
/// - a list file (.txt): one path per line; ./a.jpg is beside the list, other relative paths start
///   at the current folder, else beside the list;
/// - an image file;
/// - a pattern with * ? [] and ** (any folders), where no file has just that name.
///
/// @throws as above.
ImageList list_images(const std::filesystem::path& source);

/// True for the extensions that count as images: .bmp .jpeg .jpg .png .tif .tiff .webp, any case.
bool is_image_name(const std::filesystem::path& path);

/// The number that the file is called, 139 for 000000000139.jpg, as COCO's image ids; none if its
/// name has other characters or is too long.
std::optional<std::int64_t> numeric_id(const std::filesystem::path& image);

}  // namespace yoloq::dataset
