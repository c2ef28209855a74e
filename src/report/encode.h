// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace yoloq::report {

/// Text as it is shown in HTML, also inside of an attribute in double quotes. Bytes that are no
/// UTF-8, and control characters, become U+FFFD.
std::string escape_html(std::string_view text);

/// Text as it is shown in Markdown, also in a cell of a table: on one line, with nothing in it that
/// starts markup or HTML.
std::string escape_markdown(std::string_view text);

/// RFC 4648, with padding.
std::string to_base64(std::string_view bytes);

/// Valid UTF-8 without control characters but newline and tab; what is none becomes U+FFFD.
std::string to_clean_utf8(std::string_view text);

}  // namespace yoloq::report
