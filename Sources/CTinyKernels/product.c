// Products of stored weights with rows of activations: expand or unpack a few weight rows, use them for every row of
// activations, go on. Shared by all instruction sets and all element types.
#include "include/tiny_kernels.h"

#include <string.h>

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

// The bits of a float ≥ 0, which are 2²³ · log₂ of it with straight lines between powers of two; NaN is above all.
static int32_t bits_of(float scale) {
    int32_t bits;
    memcpy(&bits, &scale, sizeof bits);
    return bits;
}

// Takes the lower halves off a row's codes, but where the scale is more than twice the scales' geometric mean.
static void coarsen(long k, const int8_t *high, int8_t *low, const float *scales, int32_t *sums) {
    enum { TWICE = 1 << 23 };
    int64_t total = 0, count = 0;
    for (long b = 0; b < k / 32; b++) {
        total += bits_of(scales[b]);
        count += bits_of(scales[b]) > 0;
    }
    const int64_t limit = count > 0 ? total / count + TWICE : 0;
    for (long b = 0; b < k / 32; b++) {
        if (bits_of(scales[b]) > limit) { continue; }
        memset(low + 32 * b, 0, 32);
        for (int g = 0; g < 2; g++) {
            int32_t sum = 0;
            for (int i = 0; i < TK_GROUP; i++) { sum += high[32 * b + TK_GROUP * g + i]; }
            sums[2 * b + g] = 128 * sum;
        }
    }
}

void tk_quantize_rows(const tk_kernels *kernels, const float *x, long first, long end, long k, const tk_quantized *out) {
    for (long i = first; i < end; i++) {
        int8_t *high = out->high + i * k, *low = out->low + i * k;
        float *scales = out->scales + i * (k / 32);
        int32_t *sums = out->sums + i * (k / TK_GROUP);
        kernels->quantize(x + i * k, k, high, low, scales, sums);
        if (out->is_coarse) { coarsen(k, high, low, scales, sums); }
    }
}
