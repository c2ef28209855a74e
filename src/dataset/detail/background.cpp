// SPDX-License-Identifier: Apache-2.0
#include "dataset/detail/background.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <vector>

#include "dataset/detail/outline.h"

namespace yoloq::dataset::detail {

namespace {

using vision::Colour;
using vision::Image;

constexpr int kMostLines = 6;
constexpr int kMostBlobs = 4;
constexpr float kStrongestNoise = 24;  // Grey levels, of 255.

/// 0 to 1 at a place of the image: how far from the first colour to the second.
using Texture = std::function<float(float x, float y)>;

float fraction(float value) { return value - std::floor(value); }

Texture plain(int, Random& random) {
  const float level = random.uniform();
  return [level](float, float) { return level; };
}

/// A way across the image along which a texture repeats.
struct Direction {
  float dx = 0;  ///< Per pixel.
  float dy = 0;

  float turns(float x, float y) const { return dx * x + dy * y; }
};

Direction direction(float period_px, Random& random) {
  const float angle = random.uniform(0, 2 * std::numbers::pi_v<float>);
  return {std::cos(angle) / period_px, std::sin(angle) / period_px};
}

Texture gradient(int side, Random& random) {
  const Direction along = direction(static_cast<float>(side), random);
  const float half = static_cast<float>(side) / 2;
  return [=](float x, float y) {
    return std::clamp(0.5f + along.turns(x - half, y - half), 0.0f, 1.0f);
  };
}

Texture stripes(int side, Random& random) {
  const Direction along = direction(random.uniform(6, static_cast<float>(side) / 4), random);
  const float share = random.uniform(0.3f, 0.7f);
  return [=](float x, float y) { return fraction(along.turns(x, y)) < share ? 0.0f : 1.0f; };
}

Texture squares(int side, Random& random) {
  const Direction along = direction(random.uniform(12, static_cast<float>(side) / 3), random);
  return [=](float x, float y) {
    const bool across = fraction(along.turns(x, y)) < 0.5f;
    const bool down = fraction(along.turns(-y, x)) < 0.5f;
    return across == down ? 0.0f : 1.0f;
  };
}

/// Random levels on a grid, mixed smoothly in between. Source: Perlin, "An image synthesizer",
/// 1985.
class Clouds {
 public:
  Clouds(int side, float cell, Random& random)
      : cell_(cell), columns_(static_cast<std::size_t>(static_cast<float>(side) / cell) + 2) {
    for (std::size_t i = 0; i < columns_ * columns_; ++i) levels_.push_back(random.uniform());
  }

  float operator()(float x, float y) const {
    const auto column = static_cast<std::size_t>(x / cell_);
    const auto row = static_cast<std::size_t>(y / cell_);
    const float across = smooth(fraction(x / cell_));
    const float down = smooth(fraction(y / cell_));
    const auto level = [&](std::size_t r, std::size_t c) { return levels_[r * columns_ + c]; };
    return std::lerp(std::lerp(level(row, column), level(row, column + 1), across),
                     std::lerp(level(row + 1, column), level(row + 1, column + 1), across), down);
  }

 private:
  static float smooth(float t) { return t * t * (3 - 2 * t); }

  float cell_;
  std::size_t columns_;
  std::vector<float> levels_;
};

Texture clouds(int side, Random& random) {
  const Clouds coarse(side, random.uniform(static_cast<float>(side) / 8, static_cast<float>(side)),
                      random);
  const Clouds fine(side, random.uniform(4, static_cast<float>(side) / 8), random);
  const float share = random.uniform(0.2f, 0.6f);
  return [=](float x, float y) { return (1 - share) * coarse(x, y) + share * fine(x, y); };
}

constexpr std::array kTextures{plain, gradient, stripes, squares, clouds};

Image paint(int side, const Texture& texture, const Colour& first, const Colour& second) {
  Image image{.size = {.width = side, .height = side}};
  image.pixels.reserve(static_cast<std::size_t>(side) * static_cast<std::size_t>(side) * 3);
  for (int y = 0; y < side; ++y) {
    for (int x = 0; x < side; ++x) {
      const float level = texture(static_cast<float>(x) + 0.5f, static_cast<float>(y) + 0.5f);
      for (std::size_t c = 0; c < first.size(); ++c) {
        const float value = std::lerp(float(first[c]), float(second[c]), level);
        image.pixels.push_back(static_cast<std::uint8_t>(std::lround(value)));
      }
    }
  }
  return image;
}

vision::Point anywhere(int side, Random& random) {
  const float x = random.uniform(0, static_cast<float>(side));
  return {x, random.uniform(0, static_cast<float>(side))};
}

/// From one end to the other, `width` pixels wide.
Outline line_between(vision::Point from, vision::Point to, float width) {
  const float length = std::max(std::hypot(to.x - from.x, to.y - from.y), 1.0f);
  const float dx = (to.y - from.y) / length * width / 2;
  const float dy = (from.x - to.x) / length * width / 2;
  return {{from.x + dx, from.y + dy},
          {to.x + dx, to.y + dy},
          {to.x - dx, to.y - dy},
          {from.x - dx, from.y - dy}};
}

void add_distractors(Image& image, Random& random) {
  const int side = image.size.width;
  for (auto left = random.integer(0, kMostLines); left > 0; --left) {
    const vision::Point from = anywhere(side, random);
    const vision::Point to = anywhere(side, random);
    const Outline line = line_between(from, to, random.uniform(1, 5));
    vision::blend(image, vision::coverage_of(line, image.size), random_colour(random));
  }
  for (auto left = random.integer(0, kMostBlobs); left > 0; --left) {
    const Outline outline = blob(random);
    const float radius = random.uniform(5, static_cast<float>(side) / 6);
    const float angle = random.uniform(0, 2 * std::numbers::pi_v<float>);
    const Placement where{.centre = anywhere(side, random), .radius = radius, .angle = angle};
    vision::blend(image, vision::coverage_of(place(outline, where), image.size),
                  random_colour(random));
  }
}

}  // namespace

Colour random_colour(Random& random) {
  Colour colour{};
  for (auto& channel : colour) channel = static_cast<std::uint8_t>(random.integer(0, 255));
  return colour;
}

Image draw_background(int side, Random& random) {
  const auto kind = static_cast<std::size_t>(random.integer(0, kTextures.size() - 1));
  const Texture texture = kTextures.at(kind)(side, random);
  const Colour first = random_colour(random);
  Image image = paint(side, texture, first, random_colour(random));
  add_distractors(image, random);
  return image;
}

void add_noise(Image& image, Random& random) {
  const float strength = random.uniform(0, kStrongestNoise);
  for (std::uint8_t& value : image.pixels) {
    // The mean of two uniform numbers: most are small.
    const std::uint32_t bits = random.bits();
    const auto sum = static_cast<float>((bits & 0xffff) + (bits >> 16)) / 65535.0f;
    const float noisy = static_cast<float>(value) + strength * (sum - 1);
    value = static_cast<std::uint8_t>(std::lround(std::clamp(noisy, 0.0f, 255.0f)));
  }
}

}  // namespace yoloq::dataset::detail
