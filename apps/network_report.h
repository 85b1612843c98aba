#pragma once

#include <nlohmann/json.hpp>

#include "limber/companions/crossbar/report.h"
#include "limber/training/compress/compress_network.h"
#include "limber/training/compress/convolution_folder.h"
#include "limber/training/compress/convolution_training.h"
#include "limber/training/compress/image_data.h"

namespace limber {

/// A network before and after compression on the same test images.
struct NetworkComparison {
  ConvolutionTraining training;
  CompressionResult result;
  CompressibleNetwork::Quality before, after;  ///< on the test part
  torch::Tensor right_before, right_after;     ///< bool [images of the test part]
};

/// Accuracies with Wilson's intervals, their paired difference, and what was trained.
nlohmann::json comparison_json(const NetworkConfig& config, const ImageData& data,
                               const NetworkComparison& comparison);
/// Weights, bits and bytes, layer by layer and in all.
nlohmann::json sizes_json(const StoredNetwork& stored);
/// Prints what the two, and crossbar::to_json(), say.
void print_network_report(const nlohmann::json& report);

}  // namespace limber
