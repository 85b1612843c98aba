#pragma once

// at::parallel_for is a template: where its caller is compiled without OpenMP its loops run on one
// thread, and nothing but the clock shows it. So all of training includes it from here.
#include <ATen/Parallel.h>

#if AT_PARALLEL_OPENMP && !defined(_OPENMP) && !defined(__clang_analyzer__)
#error "this LibTorch divides loops with OpenMP; compile with it, as cmake/dependencies.cmake does"
#endif
