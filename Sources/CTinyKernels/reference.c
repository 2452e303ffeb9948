// Plain C, sums in double: what every machine can run, and the truth that the fast kernels are held to.
#include "elementwise.h"
#include "kernels.h"
#include "packed_format.h"

#include <math.h>

// Rows and columns that are worked on together, so that halves are widened once for all of them.
enum { ROWS = 16, COLUMNS = 64 };

static long least(long a, long b) { return a < b ? a : b; }

// Where floats lie, if that is a place for floats; else a copy.
static const float *floats_of(tk_type type, const uint8_t *from, long count, float *copy) {
    if (type == TK_F32 && (uintptr_t)from % sizeof(float) == 0) { return (const float *)(const void *)from; }
    tk_expand(type, from, count, copy);
    return copy;
}

// One row of b by at most ROWS of a.
static void products(const float *a, long a_stride, long m, tk_type type, const uint8_t *b, long k, double *sums) {
    float some[COLUMNS];
    for (long r = 0; r < m; r++) { sums[r] = 0; }
    for (long c = 0; c < k; c += COLUMNS) {
        const long count = least(COLUMNS, k - c);
        const float *y = floats_of(type, b + c * tk_float_bytes(type), count, some);
        for (long r = 0; r < m; r++) {
            for (long i = 0; i < count; i++) { sums[r] += (double)a[r * a_stride + c + i] * (double)y[i]; }
        }
    }
}

static void multiply(const float *a, long a_stride, long m, tk_type type, const void *b, long b_stride, long n, long k,
                     float *c, long c_stride) {
    for (long i = 0; i < m; i += ROWS) {
        for (long j = 0; j < n; j++) {
            double sums[ROWS];
            const long rows = least(ROWS, m - i);
            products(a + i * a_stride, a_stride, rows, type, (const uint8_t *)b + j * b_stride * tk_float_bytes(type), k, sums);
            for (long r = 0; r < rows; r++) { c[(i + r) * c_stride + j] = (float)sums[r]; }
        }
    }
}

static double half_at(const uint8_t *from) {
    float value;
    tk_expand(TK_F16, from, 1, &value);
    return (double)value;
}

// The scale and offset of row r for the group-th sixteen or thirty-two of a block; the head is what the block's 256 have.
static void scale_of_row(tk_format f, const uint8_t *head, const uint8_t *block, int group, int r, double *scale,
                         double *offset) {
    const long index = group * TK_PANEL_ROWS + r;
    const uint8_t *scales = block + tk_scales_at(f), *offsets = block + tk_offsets_at(f);
    const uint8_t *d = head + 2 * r, *m = d + 2 * TK_PANEL_ROWS;
    *offset = 0;
    switch (f.scales) {
    case TK_SCALE_HALF:
        *scale = half_at(scales + 2 * index);
        if (f.has_offsets) { *offset = half_at(offsets + 2 * index); }
        break;
    case TK_SCALE_INTEGER:
        *scale = half_at(d) * (int8_t)scales[index];
        if (f.has_offsets) { *offset = half_at(m) * offsets[index]; }
        break;
    case TK_SCALE_NIBBLES:
        *scale = half_at(d) * (scales[index] & 15);
        *offset = half_at(m) * (scales[index] >> 4);
        break;
    case TK_SCALE_EXPONENT: *scale = ldexp(1, scales[index] - 128); break;
    }
}

// What a plane has of row r for the inputs of a block.
static void plane_of_row(const uint8_t *plane, int bits, int r, uint8_t *values) {
    const uint32_t mask = ((1u << bits) - 1) * 0x01010101u;
    for (int line = 0; line < bits; line++) {
        uint32_t lane;
        memcpy(&lane, plane + 4 * (line * TK_PANEL_ROWS + r), sizeof lane);
        for (int quad = line; quad < 8; quad += bits, lane >>= bits) {
            uint32_t four = lane & mask;
            memcpy(values + 4 * quad, &four, sizeof four);
        }
    }
}

// The codes of row r in a block, signed.
static void codes_of_row(tk_format f, const tk_packed *weight, const uint8_t *block, int r, int16_t *codes) {
    uint8_t low[32], high[32] = {0};
    plane_of_row(block, f.low_bits, r, low);
    if (f.high_bits > 0) { plane_of_row(block + tk_plane_bytes(f.low_bits), f.high_bits, r, high); }
    for (int i = 0; i < 32; i++) {
        int code = low[i] | high[i] << f.low_bits;
        codes[i] = (int16_t)((f.has_table ? weight->table[code] : code) - f.bias);
    }
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
    const tk_format f = tk_format_of(weight->type);
    const long k = weight->columns, block_bytes = tk_packed_block_bytes(f);
    const uint8_t *head = panel;
    for (long t = 0; t < m; t++) { sums[t] = 0; }
    for (long b = 0; b < k / 32; b++, panel += block_bytes) {
        if (b % 8 == 0) {
            head = panel;
            panel += tk_head_bytes(f);
        }
        int16_t codes[32];
        codes_of_row(f, weight, panel, r, codes);
        for (int g = 0; g < 32 / f.group; g++) {
            double scale, offset;
            scale_of_row(f, head, panel, g, r, &scale, &offset);
            for (long t = 0; t < m; t++) {
                long at = (i + t) * k + 32 * b;
                int32_t high = 0, low = 0, total = 0;
                for (int j = g * f.group; j < (g + 1) * f.group; j += 16) {
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

static void multiply_floats(const tk_packed *weight, long first, long end, const float *x, long m, float *y, long y_stride) {
    const long k = weight->columns, bytes = tk_float_bytes(weight->type);
    for (long j = first * TK_PANEL_ROWS; j < end * TK_PANEL_ROWS && j < weight->rows; j++) {
        const uint8_t *panel = weight->panels + j / TK_PANEL_ROWS * weight->panel_bytes + j % TK_PANEL_ROWS * bytes;
        for (long t = 0; t < m; t++) {
            double sum = 0;
            for (long i = 0; i < k; i++) {
                float value;
                tk_expand(weight->type, panel + i * TK_PANEL_ROWS * bytes, 1, &value);
                sum += (double)value * (double)x[t * k + i];
            }
            y[t * y_stride + j] = (float)sum;
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

static void quantize(const float *values, long k, int8_t *high, int8_t *low, float *scales, int32_t *sums) {
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

// At most ROWS rows of p by at most COLUMNS columns of v.
static void weigh_some(const float *p, long p_stride, long m, tk_type type, const uint8_t *v, long count, long width, long n,
                       float *out, bool adds) {
    double sums[ROWS][COLUMNS];
    float some[COLUMNS];
    for (long r = 0; r < m; r++) {
        for (long c = 0; c < count; c++) { sums[r][c] = adds ? (double)out[r * width + c] : 0; }
    }
    for (long j = 0; j < n; j++, v += width * tk_float_bytes(type)) {
        const float *x = floats_of(type, v, count, some);
        for (long r = 0; r < m; r++) {
            for (long c = 0; c < count; c++) { sums[r][c] += (double)p[r * p_stride + j] * (double)x[c]; }
        }
    }
    for (long r = 0; r < m; r++) {
        for (long c = 0; c < count; c++) { out[r * width + c] = (float)sums[r][c]; }
    }
}

static void weigh(const float *p, long p_stride, long m, tk_type type, const void *v, long width, long n, float *out, bool adds) {
    for (long i = 0; i < m; i += ROWS) {
        for (long c = 0; c < width; c += COLUMNS) {
            weigh_some(p + i * p_stride, p_stride, least(ROWS, m - i), type, (const uint8_t *)v + c * tk_float_bytes(type),
                       least(COLUMNS, width - c), width, n, out + i * width + c, adds);
        }
    }
}

static void narrow(const float *values, long n, uint16_t *halves) {
    for (long i = 0; i < n; i++) {
        halves[i] = tk_to_half(values[i] > TK_LARGEST_HALF ? TK_LARGEST_HALF : values[i] < -TK_LARGEST_HALF ? -TK_LARGEST_HALF : values[i]);
    }
}

static bool always(void) { return true; }

const tk_variant tk_plain = {
    {.name = "plain", .multiply = multiply, .multiply_packed = multiply_packed, .multiply_floats = multiply_floats, .quantize = quantize,
     .weigh = weigh, .narrow = narrow, TK_ELEMENTWISE},
    always,
};
