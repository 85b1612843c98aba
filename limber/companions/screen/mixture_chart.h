#pragma once

#include <string>

#include "limber/companions/screen/mixture.h"
#include "limber/companions/screen/z_histogram.h"

namespace limber::screen {

/// An SVG drawing: the histogram of z as a density, the fitted density (class "fit") and the part
/// of it that features without a difference make (class "null").
std::string mixture_chart(const ZHistogram& histogram, const Mixture& mixture);

}  // namespace limber::screen
