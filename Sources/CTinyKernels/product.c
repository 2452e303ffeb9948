// Products of stored weights with rows of activations: expand or unpack a few weight rows, use them for every row of
// activations, go on. Shared by all instruction sets and all element types.
#include "include/tiny_kernels.h"

void tk_product_floats(const tk_kernels *kernels, tk_type type, const uint8_t *weights, long row_bytes, long n, long k,
                       const float *x, long m, float *y, long y_stride, float *panel, long panel_rows) {
    // Floats are used where they lie.
    if (type == TK_F32) {
        kernels->multiply(x, k, m, TK_F32, weights, k, n, k, y, y_stride);
        return;
    }
    for (long j = 0; j < n; j += panel_rows) {
        long rows = n - j < panel_rows ? n - j : panel_rows;
        tk_expand(type, weights + j * row_bytes, rows * k, panel);
        kernels->multiply(x, k, m, TK_F32, panel, k, rows, k, y + j, y_stride);
    }
}

void tk_quantize_rows(const tk_kernels *kernels, const float *x, long first, long end, long k, const tk_quantized *out) {
    for (long i = first; i < end; i++) {
        kernels->quantize(x + i * k, k, out->high + i * k, out->low + i * k, out->scales + i * (k / 32),
                          out->sums + i * (k / TK_GROUP));
    }
}
