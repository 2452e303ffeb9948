// The search for scales and codes, for any processor.
#include "quantize_search.h"

const tk_search tk_search_plain = {fit_line, fit_scale, fit_affine_block, fit_symmetric_block};
