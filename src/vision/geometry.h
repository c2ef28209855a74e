// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace yoloq::vision {

/// Width and height in pixels.
struct Size {
  int width = 0;
  int height = 0;

  friend bool operator==(const Size&, const Size&) = default;
};

/// A box by its corners, in pixels; x to the right, y down, both from the top left.
struct Rect {
  float x1 = 0;
  float y1 = 0;
  float x2 = 0;
  float y2 = 0;

  friend bool operator==(const Rect&, const Rect&) = default;
};

}  // namespace yoloq::vision
