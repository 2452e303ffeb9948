// What stands between the matrix products: norms, activations, softmax, rotation; plain loops that every instruction set's
// file includes, so that the compiler turns them into that set's vectors.
#ifndef TINY_ELEMENTWISE_H
#define TINY_ELEMENTWISE_H

#include "kernels.h"

#include <math.h>

// Σ (x − shift), or with `squared` Σ (x − shift)². Sums run in sixteen places at once, and their order depends on n alone.
INLINE double sum_in_places(const float *x, double shift, bool squared, long n) {
    enum { PLACES = 16 };
    typedef float floats __attribute__((vector_size(PLACES * sizeof(float))));
    typedef double doubles __attribute__((vector_size(PLACES * sizeof(double))));
    doubles places = {0};
    long i = 0;
    for (; i + PLACES <= n; i += PLACES) {
        floats some;
        memcpy(&some, x + i, sizeof some);
        const doubles shifted = __builtin_convertvector(some, doubles) - shift;
        if (squared) { places += shifted * shifted; } else { places += shifted; }
    }
    double sums[PLACES];  // single numbers of a vector cost all of it
    memcpy(sums, &places, sizeof sums);
    for (long j = 0; i + j < n; j++) {
        const double shifted = (double)x[i + j] - shift;
        if (squared) { sums[j] += shifted * shifted; } else { sums[j] += shifted; }
    }
    for (int half = PLACES / 2; half > 0; half /= 2) {
        for (int j = 0; j < half; j++) { sums[j] += sums[j + half]; }
    }
    return sums[0];
}

static double sum_of(const float *x, long n) { return sum_in_places(x, 0, false, n); }
static double squares_of(const float *x, double shift, long n) { return sum_in_places(x, shift, true, n); }

static void add(float *x, const float *y, long n) {
    for (long i = 0; i < n; i++) { x[i] += y[i]; }
}

static void rms_norm(float *y, const float *x, const float *weight, float epsilon, long n) {
    float factor = (float)(1 / sqrt(squares_of(x, 0, n) / (double)n + (double)epsilon));
    for (long i = 0; i < n; i++) { y[i] = x[i] * factor * weight[i]; }
}

static void layer_norm(float *y, const float *x, const float *weight, const float *bias, float epsilon, long n) {
    double mean = sum_of(x, n) / (double)n;
    float factor = (float)(1 / sqrt(squares_of(x, mean, n) / (double)n + (double)epsilon));
    for (long i = 0; i < n; i++) { y[i] = (float)((double)x[i] - mean) * factor * weight[i]; }
    if (bias) { add(y, bias, n); }
}

static void scale(float *x, float factor, long n) {
    for (long i = 0; i < n; i++) { x[i] *= factor; }
}

// e^x to within two units in the last place, and 0 below −87. Written so that loops over it become vectors.
//
// x = n · ln 2 + r, |r| ≤ ln 2 / 2: a polynomial gives e^r, and n goes into the exponent. ln 2 is taken off in two steps, the
// first exact. (Cody and Waite 1980; coefficients from Cephes.)
static inline float exponential(float x) {
    const float lowest = -87.0f, highest = 88.0f, to_integer = 12582912.0f;  // 1.5 · 2²³: adding it rounds
    float clipped = x > highest ? highest : x < lowest ? lowest : x;  // NaN passes
    float rounded = clipped * 1.44269504f + to_integer, n = rounded - to_integer;
    float r = clipped - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    float power = p * r * r + r + 1;
    uint32_t bits;  // n is in the last of them, and what is before it is shifted out
    memcpy(&bits, &rounded, sizeof bits);
    bits = (bits + 127) << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return x < lowest ? 0 : power * scale;
}

static float largest_of(const float *x, long n) {
    enum { PLACES = 16 };
    float places[PLACES];
    for (int j = 0; j < PLACES; j++) { places[j] = -INFINITY; }
    long i = 0;
    for (; i + PLACES <= n; i += PLACES) {
        for (int j = 0; j < PLACES; j++) { places[j] = x[i + j] > places[j] ? x[i + j] : places[j]; }
    }
    for (; i < n; i++) { places[0] = x[i] > places[0] ? x[i] : places[0]; }
    for (int j = 1; j < PLACES; j++) { places[0] = places[j] > places[0] ? places[j] : places[0]; }
    return places[0];
}

static void softmax(float *x, long n) {
    float largest = largest_of(x, n);
#pragma clang loop interleave_count(4)  // what one exponential waits for, others use
    for (long i = 0; i < n; i++) { x[i] = exponential(x[i] - largest); }
    float inverse = (float)(1 / sum_of(x, n));
    for (long i = 0; i < n; i++) { x[i] *= inverse; }
}

// 1 − erf t for t ≥ 0, to within 3e-7, without a branch as the library's has it, so that loops become vectors.
//
// erfc t = k · e^(p(k) − t²), k = 1 / (1 + 0.6 t). p, in powers of k − 0.5875, was fitted to ln(e^(t²) · erfc t / k) at
// Chebyshev's points of 0 ≤ t ≤ 9.2, beyond which nothing is left of it.
static inline float complementary_error(float t) {
    t = t > 9.2f ? 9.2f : t;  // NaN passes
    const float k = 1 / (1 + 0.6f * t), s = k - 0.5875f;
    float p = -1.22605465e-1f;
    p = p * s + 1.87918022e-1f;
    p = p * s + 4.43389863e-2f;
    p = p * s - 2.61951834e-1f;
    p = p * s + 1.33778110e-1f;
    p = p * s + 2.17377111e-1f;
    p = p * s - 3.31933469e-1f;
    p = p * s - 1.90428555e-1f;
    p = p * s + 1.14189780f;
    p = p * s - 4.22138184e-1f;
    return k * exponential(p - t * t);
}

// Elfwing et al. 2017, arXiv:1702.03118; Hendrycks and Gimpel 2016, arXiv:1606.08415. The tangent's form of GELU is
// written with the logistic function, ½ (1 + tanh u) = 1 / (1 + e^−2u), which loses nothing where u is small.
static inline float silu(float x) { return x / (1 + exponential(-x)); }
static inline float gelu(float x) {
    float rest = complementary_error(fabsf(x) * 0.70710678f);
    return 0.5f * x * (x < 0 ? rest : 2 - rest);
}
static inline float gelu_tanh(float x) { return x / (1 + exponential(-1.59576912f * (x + 0.044715f * x * x * x))); }
static inline float gelu_quick(float x) { return x / (1 + exponential(-1.702f * x)); }
static inline float relu(float x) { return x < 0 ? 0 : x; }  // NaN passes

static void activate(tk_activation f, float *x, long n) {
    switch (f) {
    case TK_SILU: for (long i = 0; i < n; i++) { x[i] = silu(x[i]); } break;
    case TK_GELU: for (long i = 0; i < n; i++) { x[i] = gelu(x[i]); } break;
    case TK_GELU_TANH: for (long i = 0; i < n; i++) { x[i] = gelu_tanh(x[i]); } break;
    case TK_GELU_QUICK: for (long i = 0; i < n; i++) { x[i] = gelu_quick(x[i]); } break;
    case TK_RELU: for (long i = 0; i < n; i++) { x[i] = relu(x[i]); } break;
    }
}

static void activate_gated(tk_activation f, float *x, const float *y, long n) {
    activate(f, x, n);
    for (long i = 0; i < n; i++) { x[i] *= y[i]; }
}

// tanh u = 1 − 2 / (1 + e^2u)
static void cap(float *x, float cap, long n) {
    const float factor = 2 / cap;
    for (long i = 0; i < n; i++) { x[i] = cap * (1 - 2 / (1 + exponential(factor * x[i]))); }
}

static void clamp(float *x, float *y, float limit, long n) {
    for (long i = 0; i < n; i++) {
        x[i] = x[i] > limit ? limit : x[i];
        y[i] = (y[i] < -limit ? -limit : y[i] > limit ? limit : y[i]) + 1;
    }
}

static inline void rotate(float *a, float *b, float cosine, float sine) {
    float x = *a, y = *b;
    *a = x * cosine - y * sine;
    *b = y * cosine + x * sine;
}

static void rotate_halves(float *head, const float *cosines, const float *sines, long pairs) {
    for (long i = 0; i < pairs; i++) { rotate(head + i, head + pairs + i, cosines[i], sines[i]); }
}

static void rotate_neighbours(float *head, const float *cosines, const float *sines, long pairs) {
    for (long i = 0; i < pairs; i++) { rotate(head + 2 * i, head + 2 * i + 1, cosines[i], sines[i]); }
}

#define TK_ELEMENTWISE                                                                                                 \
    .rms_norm = rms_norm, .layer_norm = layer_norm, .add = add, .scale = scale, .softmax = softmax,                    \
    .activate = activate, .activate_gated = activate_gated, .cap = cap, .clamp = clamp,                                   \
    .rotate_halves = rotate_halves, .rotate_neighbours = rotate_neighbours, TK_SHARED

#endif
