#pragma once

namespace limber {

/// What becomes of a feature's encoder while the data are read.
enum class Fit {
  anew,   ///< all of it is found from the training rows
  fixed,  ///< used as it is; unseen values become unknown
  /// A dictionary gets the new values of the training rows behind those that it has, which keep
  /// their indices, or, under a full cap (max_values), in place of some that these rows lack
  /// (fit_vocabulary.h). All else, perfect hashes among it, is used as it is, because a trained
  /// model counts on it.
  grown,
};

}  // namespace limber
