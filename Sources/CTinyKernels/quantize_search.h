// The search for scales and codes, for groups of weights x with importances w. No instruction set is named here: this is
// compiled once for each that is worth it, and as a product and its sum are never contracted, every one gives the same
// codes.
#include "quantize.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

// Sums run in eight lanes, so that their order does not depend on the width of a vector.
typedef struct { float lane[8]; } lanes;

static inline float total(const lanes *s) {
    const float *l = s->lane;
    return ((l[0] + l[4]) + (l[2] + l[6])) + ((l[1] + l[5]) + (l[3] + l[7]));
}

// The nearest whole number, ties to even, for |x| < 2^22.
static inline float nearest(float x) { return (x + 0x1.8p23f) - 0x1.8p23f; }

static inline float clamped(float x, float low, float high) {
    x = x > low ? x : low;  // not a number becomes `low`
    return x < high ? x : high;
}

// q = the codes of (x − low) · inverse in 0…top, and the sums that a line through them takes.
typedef struct { float w, y, yy; } line_weights;
typedef struct { float q, qq, qy; } line_sums;

static inline line_sums sum_codes(const float *x, const float *w, int n, float low, float inverse, float origin, float top) {
    lanes q = {0}, qq = {0}, qy = {0};
    for (int i = 0; i < n; i += 8) {
        for (int l = 0; l < 8; l++) {
            float code = clamped(nearest((x[i + l] - low) * inverse), 0, top), wq = w[i + l] * code;
            q.lane[l] += wq;
            qq.lane[l] += wq * code;
            qy.lane[l] += wq * (x[i + l] - origin);
        }
    }
    return (line_sums){total(&q), total(&qq), total(&qy)};
}

// The line scale · q + offset nearest to y = x − origin in weighted squares, and its error; `offset` is kept at −origin at
// most where minima cannot be positive. False if there is none.
static inline bool solve_line(line_weights s, line_sums c, float origin, bool below_zero, float *scale, float *offset,
                              float *error) {
    float determinant = s.w * c.qq - c.q * c.q;
    if (!(determinant > 1e-6f * s.w * c.qq)) { return false; }
    *scale = (s.w * c.qy - s.y * c.q) / determinant;
    *offset = (c.qq * s.y - c.q * c.qy) / determinant;
    if (below_zero && origin + *offset > 0) {
        *offset = -origin;
        *scale = (c.qy - *offset * c.q) / c.qq;
    }
    *error = s.yy + *scale * (*scale * c.qq + 2 * *offset * c.q - 2 * c.qy) + *offset * (*offset * s.w - 2 * s.y);
    return *scale > 0;
}

// scale · q + low ≈ x, q in 0…top: from codes of scales around that of the whole range, each fitted by least squares, the
// best refined by taking codes and line in turn.
static void fit_line(const float *x, const float *w, int n, float top, bool below_zero, float *scale, float *low) {
    float smallest = below_zero && x[0] > 0 ? 0 : x[0], largest = x[0];
    for (int i = 0; i < n; i++) {
        smallest = x[i] < smallest ? x[i] : smallest;
        largest = x[i] > largest ? x[i] : largest;
    }
    float range = largest - smallest;
    *scale = 0;
    *low = smallest;
    if (!(range > 1e-20f)) { return; }
    lanes sw = {0}, sy = {0}, syy = {0};
    for (int i = 0; i < n; i += 8) {
        for (int l = 0; l < 8; l++) {
            float y = x[i + l] - smallest, wy = w[i + l] * y;
            sw.lane[l] += w[i + l];
            sy.lane[l] += wy;
            syy.lane[l] += wy * y;
        }
    }
    line_weights sums = {total(&sw), total(&sy), total(&syy)};
    float best = INFINITY, line_scale, offset, error;
    *scale = range / top;
    for (int step = -10; step <= 12; step++) {
        line_sums c = sum_codes(x, w, n, smallest, (top + 0.1f * (float)step) / range, smallest, top);
        if (solve_line(sums, c, smallest, below_zero, &line_scale, &offset, &error) && error < best) {
            best = error;
            *scale = line_scale;
            *low = smallest + offset;
        }
    }
    for (int round = 0; round < 3; round++) {
        line_sums c = sum_codes(x, w, n, *low, 1 / *scale, smallest, top);
        if (!solve_line(sums, c, smallest, below_zero, &line_scale, &offset, &error) || !(error < best)) { break; }
        best = error;
        *scale = line_scale;
        *low = smallest + offset;
    }
}

// scale · q ≈ x, q in −half…half − 1; a scale may be negative, so that the largest weight has the largest code.
static float fit_scale(const float *x, const float *w, int n, float half) {
    float largest = 0;
    for (int i = 0; i < n; i++) { largest = fabsf(x[i]) > fabsf(largest) ? x[i] : largest; }
    if (!(fabsf(largest) > 1e-20f)) { return 0; }
    float best = 0, scale = -largest / half;
    for (int step = -24; step <= 12; step++) {
        // Codes of the largest weight from −half − 1.2 to −half + 1.2, and for the other sign what is left above that.
        float inverse = -(half + 0.1f * (float)step) / largest;
        if (step < -12) { inverse = (half + 0.1f * (float)(step + 12)) / largest; }
        lanes xq = {0}, qq = {0};
        for (int i = 0; i < n; i += 8) {
            for (int l = 0; l < 8; l++) {
                float q = clamped(nearest(x[i + l] * inverse), -half, half - 1), wq = w[i + l] * q;
                xq.lane[l] += wq * x[i + l];
                qq.lane[l] += wq * q;
            }
        }
        float sx = total(&xq), sq = total(&qq);
        if (sq > 0 && sx * sx > best * sq) {  // the error is Σ w x² − sx² / sq
            best = sx * sx / sq;
            scale = sx / sq;
        }
    }
    return scale;
}

// The weighted squares of what is left of x once codes are taken: scale · q + low, q in bottom…top.
static inline float remaining(const float *x, const float *w, int n, float scale, float low, float bottom, float top) {
    float inverse = scale != 0 ? 1 / scale : 0;
    lanes sum = {0};
    for (int i = 0; i < n; i += 8) {
        for (int l = 0; l < 8; l++) {
            float q = clamped(nearest((x[i + l] - low) * inverse), bottom, top), rest = x[i + l] - (scale * q + low);
            sum.lane[l] += w[i + l] * rest * rest;
        }
    }
    return total(&sum);
}

static inline void take_codes(const float *x, int n, float scale, float low, float bottom, float top, uint8_t *codes) {
    float inverse = scale != 0 ? 1 / scale : 0;
    for (int i = 0; i < n; i++) { codes[i] = (uint8_t)(clamped(nearest((x[i] - low) * inverse), bottom, top) - bottom); }
}

// --- 256 weights in groups, whose scales are whole multiples of a common one ---

// The number that a half makes of value · unit, by unit again.
static inline float as_half(float value, float unit) {
    uint16_t half = tk_to_half(value * unit);
    tk_expand(TK_F16, &half, 1, &value);
    return value / unit;
}

static void fit_affine_block(const float *x, const float *w, float top, float unit, tk_block_fit *fit) {
    float scale[8], offset[8], largest_scale = 0, largest_offset = 0;
    for (int g = 0; g < 8; g++) {
        fit_line(x + 32 * g, w + 32 * g, 32, top, true, &scale[g], &offset[g]);
        offset[g] = -offset[g];
        largest_scale = scale[g] > largest_scale ? scale[g] : largest_scale;
        largest_offset = offset[g] > largest_offset ? offset[g] : largest_offset;
    }
    float d = as_half(largest_scale / 63, unit), dmin = as_half(largest_offset / 63, unit), best = INFINITY;
    memset(fit, 0, sizeof *fit);
    fit->d = d;  // where one of them is infinite nothing else is of use
    fit->dmin = dmin;
    float ls[8], lm[8];
    for (int g = 0; g < 8; g++) {
        ls[g] = d > 0 ? clamped(nearest(scale[g] / d), 0, 63) : 0;
        lm[g] = dmin > 0 ? clamped(nearest(offset[g] / dmin), 0, 63) : 0;
    }
    for (int round = 0; round < 3; round++) {
        // Whole numbers next to those there are, as each group's rounding is its own.
        float sum = 0;
        for (int g = 0; g < 8; g++) {
            float group = INFINITY, s = ls[g], m = lm[g];
            for (int a = 0; a < 9; a++) {
                float ts = clamped(s + (float)(a / 3 - 1), 0, 63), tm = clamped(m + (float)(a % 3 - 1), 0, 63);
                float error = remaining(x + 32 * g, w + 32 * g, 32, d * ts, -dmin * tm, 0, top);
                if (error < group) {
                    group = error;
                    ls[g] = ts;
                    lm[g] = tm;
                }
            }
            sum += group;
        }
        if (!(sum < best)) { break; }
        best = sum;
        fit->d = d;
        fit->dmin = dmin;
        for (int g = 0; g < 8; g++) {
            fit->scales[g] = (int8_t)ls[g];
            fit->offsets[g] = (uint8_t)lm[g];
        }
        // The two common scales nearest to x for these whole numbers and their codes.
        float aa = 0, ab = 0, bb = 0, ax = 0, bx = 0;
        for (int g = 0; g < 8; g++) {
            float inverse = d * ls[g] != 0 ? 1 / (d * ls[g]) : 0;
            lanes sw = {0}, sq = {0}, sqq = {0}, sx = {0}, sqx = {0};
            for (int i = 32 * g; i < 32 * g + 32; i += 8) {
                for (int l = 0; l < 8; l++) {
                    float q = clamped(nearest((x[i + l] + dmin * lm[g]) * inverse), 0, top), wq = w[i + l] * q;
                    sw.lane[l] += w[i + l];
                    sq.lane[l] += wq;
                    sqq.lane[l] += wq * q;
                    sx.lane[l] += w[i + l] * x[i + l];
                    sqx.lane[l] += wq * x[i + l];
                }
            }
            aa += ls[g] * ls[g] * total(&sqq);
            ab += ls[g] * lm[g] * total(&sq);
            bb += lm[g] * lm[g] * total(&sw);
            ax += ls[g] * total(&sqx);
            bx += lm[g] * total(&sx);
        }
        float determinant = aa * bb - ab * ab;
        if (determinant > 1e-6f * aa * bb) {
            d = (ax * bb - ab * bx) / determinant;
            dmin = (ab * ax - aa * bx) / determinant;
        } else if (bb == 0 && aa > 0) {
            d = ax / aa;
        }
        d = as_half(d > 0 ? d : 0, unit);
        dmin = as_half(dmin > 0 ? dmin : 0, unit);
    }
    for (int g = 0; g < 8; g++) {
        take_codes(x + 32 * g, 32, fit->d * (float)fit->scales[g], -fit->dmin * (float)fit->offsets[g], 0, top,
                   fit->codes + 32 * g);
    }
}

static void fit_symmetric_block(const float *x, const float *w, float unit, tk_block_fit *fit) {
    float scale[16], largest = 0, ls[16], best = INFINITY;
    for (int g = 0; g < 16; g++) {
        scale[g] = fit_scale(x + 16 * g, w + 16 * g, 16, 32);
        largest = fabsf(scale[g]) > fabsf(largest) ? scale[g] : largest;
    }
    float d = as_half(-largest / 128, unit);
    for (int g = 0; g < 16; g++) { ls[g] = d != 0 ? clamped(nearest(scale[g] / d), -128, 127) : 0; }
    memset(fit, 0, sizeof *fit);
    fit->d = d;
    for (int round = 0; round < 3; round++) {
        float sum = 0;
        for (int g = 0; g < 16; g++) {
            float group = INFINITY, s = ls[g];
            for (int a = -2; a <= 2; a++) {
                float ts = clamped(s + (float)a, -128, 127);
                float error = remaining(x + 16 * g, w + 16 * g, 16, d * ts, 0, -32, 31);
                if (error < group) {
                    group = error;
                    ls[g] = ts;
                }
            }
            sum += group;
        }
        if (!(sum < best)) { break; }
        best = sum;
        fit->d = d;
        for (int g = 0; g < 16; g++) { fit->scales[g] = (int8_t)ls[g]; }
        float aa = 0, ax = 0;
        for (int g = 0; g < 16; g++) {
            float inverse = d * ls[g] != 0 ? 1 / (d * ls[g]) : 0;
            lanes sqq = {0}, sqx = {0};
            for (int i = 16 * g; i < 16 * g + 16; i += 8) {
                for (int l = 0; l < 8; l++) {
                    float q = clamped(nearest(x[i + l] * inverse), -32, 31), wq = w[i + l] * q;
                    sqq.lane[l] += wq * q;
                    sqx.lane[l] += wq * x[i + l];
                }
            }
            aa += ls[g] * ls[g] * total(&sqq);
            ax += ls[g] * total(&sqx);
        }
        if (!(aa > 0)) { break; }
        d = as_half(ax / aa, unit);
    }
    for (int g = 0; g < 16; g++) {
        take_codes(x + 16 * g, 16, fit->d * (float)fit->scales[g], 0, -32, 31, fit->codes + 16 * g);
    }
}
