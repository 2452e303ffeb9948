// Plain C, sums in double: what every machine can run, and the truth that the fast kernels are held to.
#include "kernels.h"

#include <math.h>

static float dot(const float *x, const float *y, long n) {
    double sum = 0;
    for (long i = 0; i < n; i++) { sum += (double)x[i] * (double)y[i]; }
    return (float)sum;
}

static void multiply(const float *a, long a_stride, long m, const float *b, long b_stride, long n, long k, float *c,
                     long c_stride) {
    for (long i = 0; i < m; i++) {
        for (long j = 0; j < n; j++) { c[i * c_stride + j] = dot(a + i * a_stride, b + j * b_stride, k); }
    }
}

static float dot_codes(const tk_unpacked *weight, const tk_quantized *activation, long k) {
    double sum = 0;
    for (long g = 0; g < k / TK_GROUP; g++) {
        int32_t products = 0;
        for (long i = g * TK_GROUP; i < (g + 1) * TK_GROUP; i++) { products += weight->codes[i] * activation->codes[i]; }
        sum += (double)weight->scales[g] * activation->scales[g] * products;
        sum += (double)weight->offsets[g] * activation->sums[g];
    }
    return (float)sum;
}

void tk_quantize_plain(const float *values, long k, const tk_quantized *out) {
    for (long g = 0; g < k / TK_GROUP; g++, values += TK_GROUP) {
        float largest = 0;
        for (int j = 0; j < TK_GROUP; j++) { largest = fmaxf(largest, fabsf(values[j])); }
        // A group so small that the inverse would overflow is as good as zero.
        float scale = largest > 0x1p-100f ? largest / TK_LARGEST_CODE : 0, inverse = scale > 0 ? 1 / scale : 0;
        int32_t sum = 0;
        for (int j = 0; j < TK_GROUP; j++) {
            int32_t code = (int32_t)rintf(values[j] * inverse);
            out->codes[g * TK_GROUP + j] = (int16_t)code;
            sum += code;
        }
        out->scales[g] = scale;
        out->sums[g] = scale * (float)sum;
    }
}

static void add_scaled(float *y, float a, const float *x, long n) {
    for (long i = 0; i < n; i++) { y[i] += a * x[i]; }
}

static bool always(void) { return true; }

const tk_variant tk_plain = {
    {"plain", multiply, dot_codes, tk_quantize_plain, add_scaled, dot},
    always,
};
