#pragma once

#include "limber/companions/crossbar/report.h"
#include "limber/training/compress/convolution_folder.h"
#include "limber/training/compress/image_data.h"

namespace limber {

/// A network of convolutions on memristor crossbars, before and after compression: a weight with
/// codes has the bits and the scale that it was compressed to, any other kBaselineBits. With
/// compress.crossbar.samples, chips are drawn and their accuracy is measured on `part`.
crossbar::CrossbarReport network_crossbars(const CompressedConvolutions& compressed,
                                           const ConvolutionLayers& before,
                                           const CompressionResult& result, const ImagePart& part);

}  // namespace limber
