#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "limber/training/compress/convolution_network.h"

namespace limber {

/// How the network before compression came about.
struct ConvolutionTraining {
  std::int64_t best_epoch = 0;  ///< counted from 1
  std::int64_t epochs = 0;
  double seconds = 0;    ///< in this process; 0 where trained weights were found
  bool stopped = false;  ///< a signal asked for it; the same call goes on from there
};

/// Trains `network` for train.epochs passes, its step size falling along a half cosine, and leaves
/// it with the weights of the pass of the least validation loss. They are kept in
/// `work_folder`/trained.safetensors, and a later call takes them from there; after each pass
/// training.safetensors holds the state, and a call that was cut off goes on from it to the same
/// bits. Files of another network, other training options or other images are left aside with a
/// word, and `restart` ignores any. `keep_going` is asked between steps. Throws InputError for a
/// damaged file, and where no pass has a finite loss.
ConvolutionTraining train_convolutions(ConvolutionNetwork& network, const NetworkConfig& config,
                                       const std::string& data_fingerprint,
                                       const std::filesystem::path& work_folder, bool restart,
                                       const std::function<bool()>& keep_going);

}  // namespace limber
