// What stands between the matrix products: norms, activations, rotation, softmax, and one head of attention.
#include "include/tiny_kernels.h"

#include <math.h>
#include <string.h>

void tk_rms_norm(float *y, const float *x, const float *weight, float epsilon, long n) {
    double squares = 0;
    for (long i = 0; i < n; i++) { squares += (double)x[i] * (double)x[i]; }
    float factor = (float)(1 / sqrt(squares / (double)n + (double)epsilon));
    for (long i = 0; i < n; i++) { y[i] = x[i] * factor * weight[i]; }
}

void tk_layer_norm(float *y, const float *x, const float *weight, const float *bias, float epsilon, long n) {
    double sum = 0, squares = 0;
    for (long i = 0; i < n; i++) { sum += (double)x[i]; }
    double mean = sum / (double)n;
    for (long i = 0; i < n; i++) { squares += ((double)x[i] - mean) * ((double)x[i] - mean); }
    float factor = (float)(1 / sqrt(squares / (double)n + (double)epsilon));
    for (long i = 0; i < n; i++) { y[i] = (float)((double)x[i] - mean) * factor * weight[i]; }
    if (bias) { tk_add(y, bias, n); }
}

void tk_scale(float *x, float factor, long n) {
    for (long i = 0; i < n; i++) { x[i] *= factor; }
}

void tk_add(float *x, const float *y, long n) {
    for (long i = 0; i < n; i++) { x[i] += y[i]; }
}

void tk_softmax(float *x, long n) {
    float largest = -INFINITY;
    for (long i = 0; i < n; i++) { largest = fmaxf(largest, x[i]); }
    double sum = 0;
    for (long i = 0; i < n; i++) {
        x[i] = expf(x[i] - largest);
        sum += (double)x[i];
    }
    float inverse = (float)(1 / sum);
    for (long i = 0; i < n; i++) { x[i] *= inverse; }
}

// Elfwing et al. 2017, arXiv:1702.03118; Hendrycks and Gimpel 2016, arXiv:1606.08415.
static inline float silu(float x) { return x / (1 + expf(-x)); }
static inline float gelu(float x) { return 0.5f * x * (1 + erff(x * 0.70710678f)); }
static inline float gelu_tanh(float x) { return 0.5f * x * (1 + tanhf(0.79788456f * (x + 0.044715f * x * x * x))); }
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

void tk_attend(const tk_kernels *kernels, const float *query, const float *keys, const float *values, long first,
               long count, long width, float scale, float *scores, float *out) {
    long n = count - first;
    keys += first * width;
    values += first * width;
    kernels->multiply(query, width, 1, keys, width, n, width, scores, n);
    for (long j = 0; j < n; j++) { scores[j] *= scale; }
    tk_softmax(scores, n);
    memset(out, 0, (size_t)width * sizeof(float));
    for (long j = 0; j < n; j++) { kernels->add_scaled(out, scores[j], values + j * width, width); }
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
