// The search for scales and codes with vectors of eight.
#if defined(__x86_64__)
#include <math.h>
#include <string.h>
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "quantize_search.h"

const tk_search tk_search_avx2 = {fit_line, fit_scale, fit_affine_block, fit_symmetric_block};
#pragma clang attribute pop
#endif
