// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "report/plot.h"

namespace yoloq::report {

/// Draws with the program gnuplot: an <svg> element to be put into a page. Text of the plot comes
/// out escaped, and is not interpreted by gnuplot. Equal plots give equal bytes.
///
/// @throws Error(not_found) saying what to install if gnuplot is not there; Error(backend) with its
///     words if it refuses; Error(bad_argument) if the plot has no point or a series is ragged.
std::string to_svg(const Plot& plot);

/// The commands that draw it. Text stands in single quotes or in columns of data, where gnuplot
/// interprets nothing.
std::string to_script(const Plot& plot);

}  // namespace yoloq::report
