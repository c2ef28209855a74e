// SPDX-License-Identifier: Apache-2.0
#include <csetjmp>
#include <cstddef>
#include <cstdio>  // jpeglib.h takes it for granted.
// Behind <cstdio>.
#include <jpeglib.h>

#include "vision/detail/jpeg.h"

namespace yoloq::vision::detail {

namespace {

/// libjpeg leaves a function by the way that its caller set, and prints unless told not to.
struct Errors {
  jpeg_error_mgr manager;  ///< First: libjpeg hands back its address.
  std::jmp_buf leave;
};

[[noreturn]] void leave(j_common_ptr info) {
  std::longjmp(reinterpret_cast<Errors*>(info->err)->leave, 1);
}

/// Below zero are warnings: the file is damaged, but libjpeg goes on.
void on_message(j_common_ptr info, int level) {
  if (level < 0) leave(info);
}

bool is_plain(const jpeg_decompress_struct& info, Size expected) {
  return info.marker_list == nullptr && info.num_components == 3 &&
         info.jpeg_color_space == JCS_YCbCr && info.data_precision == 8 &&
         info.image_width == static_cast<JDIMENSION>(expected.width) &&
         info.image_height == static_cast<JDIMENSION>(expected.height);
}

}  // namespace

// No object with a destructor lives here: a longjmp() would pass it by.
bool decode_plain_jpeg(std::string_view bytes, Image& image) {
  jpeg_decompress_struct info{};
  Errors errors{};
  info.err = jpeg_std_error(&errors.manager);
  errors.manager.error_exit = leave;
  errors.manager.emit_message = on_message;
  if (setjmp(errors.leave) != 0) {
    jpeg_destroy_decompress(&info);
    return false;
  }
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_save_markers(&info, JPEG_APP0 + 1, 0xFFFF);  // EXIF.
  jpeg_read_header(&info, TRUE);
  const bool plain = is_plain(info, image.size);
  if (plain) {
    info.out_color_space = JCS_EXT_BGR;
    jpeg_start_decompress(&info);
    const std::size_t step = 3 * static_cast<std::size_t>(image.size.width);
    while (info.output_scanline < info.output_height) {
      JSAMPROW row = image.pixels.data() + info.output_scanline * step;
      jpeg_read_scanlines(&info, &row, 1);
    }
    jpeg_finish_decompress(&info);
  }
  jpeg_destroy_decompress(&info);
  return plain;
}

}  // namespace yoloq::vision::detail
