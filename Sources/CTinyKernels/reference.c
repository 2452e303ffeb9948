// Plain C, sums in double: what every machine can run, and the truth that the fast kernels are held to.
#include "elementwise.h"
#include "kernels.h"

#include <math.h>
#include <string.h>

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

// The scale or offset of row r for the group-th sixteen or thirty-two of a block.
static double scale_at(const tk_packed *weight, const uint8_t *scales, int group, int r) {
    long index = group * TK_PANEL_ROWS + r;
    float value;
    tk_expand(weight->has_half_scales ? TK_F16 : TK_F32, scales + index * (weight->has_half_scales ? 2 : 4), 1, &value);
    return (double)value;
}

// The codes of row r in a block, signed.
static void codes_of_row(const tk_packed *weight, const uint8_t *block, int r, int16_t *codes) {
    const uint8_t *lane = block + 4 * r;  // four inputs, then the next four after those of the other rows
    for (int i = 0; i < 4 * weight->bits; i++) {
        uint8_t byte = lane[i / 4 * 4 * TK_PANEL_ROWS + i % 4];
        codes[i] = weight->bits == 8 ? byte : byte & 15;
        if (weight->bits == 4) { codes[i + 16] = byte >> 4; }
    }
    for (int i = 0; i < 32 && weight->has_table; i++) { codes[i] = weight->table[codes[i]]; }
    for (int i = 0; i < 32; i++) { codes[i] = (int16_t)(codes[i] - weight->bias); }
}

// A length that the compiler knows is one it can vectorise.
static inline int32_t dot_16(const int16_t *a, const int8_t *b) {
    int32_t sum = 0;
    for (int j = 0; j < 16; j++) { sum += a[j] * b[j]; }
    return sum;
}

// One row of weights by up to sixty-four rows of activations, from the i-th on.
static void row_product(const tk_packed *weight, const uint8_t *panel, int r, const tk_quantized *x, long i, long m,
                        double *sums) {
    const long k = weight->columns, block_bytes = tk_packed_block_bytes(weight);
    const int groups = 32 / weight->group;
    for (long t = 0; t < m; t++) { sums[t] = 0; }
    for (long b = 0; b < k / 32; b++, panel += block_bytes) {
        const uint8_t *scales = panel + TK_PANEL_ROWS * 32 * weight->bits / 8;
        const uint8_t *offsets = scales + TK_PANEL_ROWS * (weight->has_half_scales ? 2 : 4) * groups;
        int16_t codes[32];
        codes_of_row(weight, panel, r, codes);
        for (int g = 0; g < groups; g++) {
            double scale = scale_at(weight, scales, g, r), offset = weight->has_offsets ? scale_at(weight, offsets, g, r) : 0;
            for (long t = 0; t < m; t++) {
                long at = (i + t) * k + 32 * b;
                int32_t high = 0, low = 0, total = 0;
                for (int j = g * weight->group; j < (g + 1) * weight->group; j += 16) {
                    high += dot_16(codes + j, x->high + at + j);
                    low += dot_16(codes + j, x->low + at + j);
                    total += x->sums[(at + j) / 16];
                }
                sums[t] += (double)x->scales[at / 32] * (scale * (high * 128 + low) + offset * total);
            }
        }
    }
}

static void multiply_packed(const tk_packed *weight, long first, long end, const tk_quantized *x, long m, float *y,
                            long y_stride) {
    for (long j = first * TK_PANEL_ROWS; j < end * TK_PANEL_ROWS && j < weight->rows; j++) {
        const uint8_t *panel = weight->panels + j / TK_PANEL_ROWS * weight->panel_bytes;
        for (long i = 0; i < m; i += 64) {
            double sums[64];
            long n = m - i < 64 ? m - i : 64;
            row_product(weight, panel, (int)(j % TK_PANEL_ROWS), x, i, n, sums);
            for (long t = 0; t < n; t++) { y[(i + t) * y_stride + j] = (float)sums[t]; }
        }
    }
}

// Of 32 values. As bits NaN is above all numbers, so that it reaches the scale and is not lost.
static float largest_magnitude(const float *values) {
    uint32_t largest = 0;
    for (int j = 0; j < 32; j++) {
        uint32_t bits;
        memcpy(&bits, values + j, sizeof bits);
        bits &= 0x7FFFFFFF;
        largest = bits > largest ? bits : largest;
    }
    float result;
    memcpy(&result, &largest, sizeof result);
    return result;
}

void tk_quantize_plain(const float *values, long k, int8_t *high, int8_t *low, float *scales, int32_t *sums) {
    for (long b = 0; b < k / 32; b++, values += 32, high += 32, low += 32) {
        float largest = largest_magnitude(values);
        // A block so small that the inverse would overflow is as good as zero.
        float scale = largest <= 0x1p-100f ? 0 : largest / TK_LARGEST_CODE, inverse = scale > 0 ? 1 / scale : 0;
        for (int j = 0; j < 32; j++) {
            float rounded = rintf(values[j] * inverse);
            int32_t code = isnan(rounded) ? 0 : (int32_t)rounded;
            high[j] = (int8_t)((code + 64) >> 7);
            low[j] = (int8_t)(code - high[j] * 128);
        }
        scales[b] = scale;
        for (int g = 0; g < 2; g++) {
            int32_t sum = 0;
            for (int j = 16 * g; j < 16 * (g + 1); j++) { sum += high[j] * 128 + low[j]; }
            sums[2 * b + g] = sum;
        }
    }
}

static void weigh(const float *p, long p_stride, long m, const float *v, long width, long n, float *out,
                  bool adds) {
    for (long i = 0; i < m; i++) {
        for (long c = 0; c < width; c++) {
            double sum = adds ? (double)out[i * width + c] : 0;
            for (long j = 0; j < n; j++) { sum += (double)p[i * p_stride + j] * (double)v[j * width + c]; }
            out[i * width + c] = (float)sum;
        }
    }
}

static void widen(const uint16_t *halves, long n, float *values) { tk_expand(TK_F16, halves, n, values); }

static void narrow(const float *values, long n, uint16_t *halves) {
    for (long i = 0; i < n; i++) {
        halves[i] = tk_to_half(values[i] > TK_LARGEST_HALF ? TK_LARGEST_HALF : values[i] < -TK_LARGEST_HALF ? -TK_LARGEST_HALF : values[i]);
    }
}

static bool always(void) { return true; }

const tk_variant tk_plain = {
    {.name = "plain", .multiply = multiply, .multiply_packed = multiply_packed, .quantize = tk_quantize_plain,
     .weigh = weigh, .widen = widen, .narrow = narrow, TK_ELEMENTWISE},
    always,
};
