#pragma once

#include <torch/torch.h>

#include <string>

#include "limber/core/config/network_options.h"

namespace limber {

/// Images and their classes.
struct ImagePart {
  torch::Tensor pixels;   ///< [images, channels, height, width], float, divided by images.scale
  torch::Tensor classes;  ///< [images], int64

  std::int64_t size() const { return classes.defined() ? classes.size(0) : 0; }
};

/// All images of a file, divided by a hash of the seed and the row's number: the same rows whatever
/// machine reads them. The test part comes first, so that it stays what it is when
/// validation_share changes.
struct ImageData {
  ImagePart train, validation, test;
  std::string fingerprint;  ///< of pixels, classes and the split
};

/// Reads images.file, an image a row: the column of the class, and the columns of the pixels in the
/// file's order. Throws InputError that names file, row and column: a pixel that is missing or no
/// number, a class that is not one of 0 ... classes - 1, another number of pixels than
/// channels x height x width, too few rows for three parts.
ImageData read_images(const ImageOptions& options, std::int64_t classes);

}  // namespace limber
