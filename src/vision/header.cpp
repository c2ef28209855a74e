// SPDX-License-Identifier: Apache-2.0
#include "vision/header.h"

#include <cstdint>
#include <fstream>
#include <string>

#include "core/error.h"
#include "core/file.h"
#include "vision/image.h"

namespace yoloq::vision {

namespace {

constexpr std::string_view kJpegStart = "\xFF\xD8\xFF";
constexpr std::string_view kJpegEnd = "\xFF\xD9";
constexpr std::string_view kPngStart = "\x89PNG\r\n\x1A\n";
constexpr std::string_view kPngEnd = "IEND";
constexpr std::string_view kExif{"Exif\0\0", 6};
constexpr std::uint32_t kOrientationTag = 0x0112;
// Holds the header unless a large preview precedes.
constexpr std::size_t kFirstRead = std::size_t{64} * 1024;

/// Unsigned numbers at an offset; 0 beyond the end.
class Bytes {
 public:
  Bytes(std::string_view bytes, bool little_endian) : bytes_(bytes), little_(little_endian) {}

  std::uint32_t number(std::size_t offset, std::size_t size) const {
    if (offset > bytes_.size() || bytes_.size() - offset < size) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t at = offset + (little_ ? size - 1 - i : i);
      value = value << 8 | static_cast<std::uint8_t>(bytes_[at]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool little_;
};

/// The orientation in a TIFF block, 1 if it says nothing or nonsense. EXIF 2.3, section 4.6.
int exif_orientation(std::string_view tiff) {
  const bool little = tiff.starts_with("II");
  if (!little && !tiff.starts_with("MM")) return 1;
  const Bytes bytes(tiff, little);
  const std::size_t directory = bytes.number(4, 4);
  const std::size_t entries = bytes.number(directory, 2);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (bytes.number(entry, 2) != kOrientationTag) continue;
    const std::uint32_t value = bytes.number(entry + 8, 2);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

/// True for the markers that begin a frame: SOF0 to SOF15 without DHT, JPG and DAC.
bool is_frame(std::uint32_t marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

/// Walks the marker segments up to the first scan. ITU-T T.81, annex B.
std::optional<Header> read_jpeg(std::string_view file) {
  const Bytes bytes(file, false);
  Header header{.format = Header::Format::jpeg};
  for (std::size_t at = 2; at + 4 <= file.size();) {
    if (bytes.number(at, 1) != 0xFF) return std::nullopt;
    const std::uint32_t marker = bytes.number(at + 1, 1);
    const std::size_t length = bytes.number(at + 2, 2);
    if (marker == 0xFF) {  // A fill byte.
      ++at;
      continue;
    }
    if (is_frame(marker)) {
      header.stored = {.width = static_cast<int>(bytes.number(at + 7, 2)),
                       .height = static_cast<int>(bytes.number(at + 5, 2))};
    }
    if (marker == 0xE1 && file.substr(at + 4).starts_with(kExif)) {
      header.orientation = exif_orientation(file.substr(at + 4 + kExif.size()));
    }
    if (marker == 0xDA) {
      header.complete = file.rfind(kJpegEnd) != std::string_view::npos && file.rfind(kJpegEnd) > at;
      return header.stored == Size{} ? std::nullopt : std::optional(header);
    }
    at += 2 + length;
  }
  return std::nullopt;
}

/// IHDR and the chunks before the pixels. PNG specification, sections 5 and 11.
std::optional<Header> read_png(std::string_view file) {
  const Bytes bytes(file, false);
  Header header{.format = Header::Format::png};
  header.stored = {.width = static_cast<int>(bytes.number(16, 4)),
                   .height = static_cast<int>(bytes.number(20, 4))};
  header.complete = file.rfind(kPngEnd) != std::string_view::npos;
  for (std::size_t at = kPngStart.size(); at + 8 <= file.size();) {
    const std::string_view type = file.substr(at + 4, 4);
    if (type == "IDAT") break;
    if (type == "eXIf") header.orientation = exif_orientation(file.substr(at + 8));
    at += 12 + static_cast<std::size_t>(bytes.number(at, 4));
  }
  if (header.stored.width <= 0 || header.stored.height <= 0) return std::nullopt;
  return header;
}

}  // namespace

Size Header::upright() const {
  if (orientation < 5) return stored;
  return {.width = stored.height, .height = stored.width};
}

std::optional<Header> read_header(std::string_view bytes) {
  if (bytes.starts_with(kJpegStart)) return read_jpeg(bytes);
  if (bytes.starts_with(kPngStart)) return read_png(bytes);
  return std::nullopt;
}

Size image_size(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::string beginning(kFirstRead, '\0');
  file.read(beginning.data(), static_cast<std::streamsize>(beginning.size()));
  beginning.resize(static_cast<std::size_t>(file.gcount()));
  if (const auto header = read_header(beginning)) return header->upright();

  const std::string content = read_file(path);
  if (const auto header = read_header(content)) return header->upright();
  return decode_image(content, path.string()).size;
}

}  // namespace yoloq::vision
