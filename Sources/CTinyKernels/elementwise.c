// What stands between the matrix products: norms, activations, rotation, softmax, and one head of attention.
#include "include/tiny_kernels.h"

#include <math.h>
#include <string.h>

// Sums run in eight places at once, which a compiler turns into vectors; their order depends on n alone.
enum { PLACES = 8 };

static inline double total(const double *places) {
    return ((places[0] + places[4]) + (places[2] + places[6])) + ((places[1] + places[5]) + (places[3] + places[7]));
}

// Σ x
static double sum_of(const float *x, long n) {
    double places[PLACES] = {0};
    long i = 0;
    for (; i + PLACES <= n; i += PLACES) {
        for (int j = 0; j < PLACES; j++) { places[j] += (double)x[i + j]; }
    }
    for (; i < n; i++) { places[i % PLACES] += (double)x[i]; }
    return total(places);
}

// Σ (x − shift)²
static double squares_of(const float *x, double shift, long n) {
    double places[PLACES] = {0};
    long i = 0;
    for (; i + PLACES <= n; i += PLACES) {
        for (int j = 0; j < PLACES; j++) { places[j] += ((double)x[i + j] - shift) * ((double)x[i + j] - shift); }
    }
    for (; i < n; i++) { places[i % PLACES] += ((double)x[i] - shift) * ((double)x[i] - shift); }
    return total(places);
}

void tk_rms_norm(float *y, const float *x, const float *weight, float epsilon, long n) {
    float factor = (float)(1 / sqrt(squares_of(x, 0, n) / (double)n + (double)epsilon));
    for (long i = 0; i < n; i++) { y[i] = x[i] * factor * weight[i]; }
}

void tk_layer_norm(float *y, const float *x, const float *weight, const float *bias, float epsilon, long n) {
    double mean = sum_of(x, n) / (double)n;
    float factor = (float)(1 / sqrt(squares_of(x, mean, n) / (double)n + (double)epsilon));
    for (long i = 0; i < n; i++) { y[i] = (float)((double)x[i] - mean) * factor * weight[i]; }
    if (bias) { tk_add(y, bias, n); }
}

void tk_scale(float *x, float factor, long n) {
    for (long i = 0; i < n; i++) { x[i] *= factor; }
}

void tk_add(float *x, const float *y, long n) {
    for (long i = 0; i < n; i++) { x[i] += y[i]; }
}

// e^x to within two units in the last place, and 0 below −87. Written so that loops over it become vectors.
//
// x = n · ln 2 + r, |r| ≤ ln 2 / 2: a polynomial gives e^r, and n goes into the exponent. ln 2 is taken off in two steps, the
// first exact. (Cody and Waite 1980; coefficients from Cephes.)
static inline float exponential(float x) {
    const float lowest = -87.0f, highest = 88.0f, to_integer = 12582912.0f;  // 1.5 · 2²³: adding it rounds
    float clipped = x > highest ? highest : x < lowest ? lowest : x;  // NaN passes
    float n = clipped * 1.44269504f + to_integer - to_integer;
    float r = clipped - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    float power = p * r * r + r + 1;
    int32_t exponent = (int32_t)(n == n ? n : 0) + 127;
    uint32_t bits = (uint32_t)exponent << 23;
    float scale;
    memcpy(&scale, &bits, sizeof scale);
    return x < lowest ? 0 : power * scale;
}

void tk_softmax(float *x, long n) {
    float largest = -INFINITY;
    for (long i = 0; i < n; i++) { largest = x[i] > largest ? x[i] : largest; }
    for (long i = 0; i < n; i++) { x[i] = exponential(x[i] - largest); }
    float inverse = (float)(1 / sum_of(x, n));
    for (long i = 0; i < n; i++) { x[i] *= inverse; }
}

// Elfwing et al. 2017, arXiv:1702.03118; Hendrycks and Gimpel 2016, arXiv:1606.08415. The tangent's form of GELU is
// written with the logistic function, ½ (1 + tanh u) = 1 / (1 + e^−2u), which loses nothing where u is small.
static inline float silu(float x) { return x / (1 + exponential(-x)); }
static inline float gelu(float x) { return 0.5f * x * (1 + erff(x * 0.70710678f)); }
static inline float gelu_tanh(float x) { return x / (1 + exponential(-1.59576912f * (x + 0.044715f * x * x * x))); }
static inline float relu(float x) { return x > 0 ? x : 0; }

void tk_activate(tk_activation f, float *x, long n) {
    switch (f) {
    case TK_SILU: for (long i = 0; i < n; i++) { x[i] = silu(x[i]); } break;
    case TK_GELU: for (long i = 0; i < n; i++) { x[i] = gelu(x[i]); } break;
    case TK_GELU_TANH: for (long i = 0; i < n; i++) { x[i] = gelu_tanh(x[i]); } break;
    case TK_RELU: for (long i = 0; i < n; i++) { x[i] = relu(x[i]); } break;
    }
}

void tk_activate_gated(tk_activation f, float *x, const float *y, long n) {
    tk_activate(f, x, n);
    for (long i = 0; i < n; i++) { x[i] *= y[i]; }
}

static inline void rotate(float *a, float *b, float cosine, float sine) {
    float x = *a, y = *b;
    *a = x * cosine - y * sine;
    *b = y * cosine + x * sine;
}

void tk_rotate_halves(float *head, const float *cosines, const float *sines, long pairs) {
    for (long i = 0; i < pairs; i++) { rotate(head + i, head + pairs + i, cosines[i], sines[i]); }
}

void tk_rotate_neighbours(float *head, const float *cosines, const float *sines, long pairs) {
    for (long i = 0; i < pairs; i++) { rotate(head + 2 * i, head + 2 * i + 1, cosines[i], sines[i]); }
}

void tk_attend(const tk_kernels *kernels, const float *queries, long m, const float *keys, const float *values,
               const long *firsts, const long *counts, long width, float scale, float *scores, float *out) {
    long first = firsts[0], end = counts[0];
    for (long i = 1; i < m; i++) {
        first = firsts[i] < first ? firsts[i] : first;
        end = counts[i] > end ? counts[i] : end;
    }
    long n = end - first;
    kernels->multiply(queries, width, m, keys + first * width, width, n, width, scores, n);
    for (long i = 0; i < m; i++) {
        float *row = scores + i * n;
        long begin = firsts[i] - first, count = counts[i] - firsts[i];
        tk_scale(row + begin, scale, count);
        tk_softmax(row + begin, count);
        // What others see and this one does not weighs nothing.
        for (long j = 0; j < begin; j++) { row[j] = 0; }
        for (long j = begin + count; j < n; j++) { row[j] = 0; }
    }
    kernels->weigh(scores, n, m, values + first * width, width, n, out);
}

void tk_transpose(const void *source, long rows, long columns, long size, void *target) {
    const char *from = source;
    char *to = target;
    for (long i = 0; i < rows; i++) {
        for (long j = 0; j < columns; j++) { memcpy(to + (j * rows + i) * size, from + (i * columns + j) * size, (size_t)size); }
    }
}

void tk_rotary_angles(const float *frequencies, long pairs, long first, long count, float magnitude, float *cosines,
                      float *sines) {
    for (long t = 0; t < count; t++) {
        for (long i = 0; i < pairs; i++) {
            float angle = (float)(first + t) * frequencies[i];
            cosines[t * pairs + i] = (float)cos((double)angle) * magnitude;
            sines[t * pairs + i] = (float)sin((double)angle) * magnitude;
        }
    }
}
