// The micro-kernels of tinygpt: everything that needs an instruction set chosen at run time, or a loop that must be
// fast in a debug build. Plain pointers and counts; nothing here allocates, locks or fails.
#ifndef TINY_KERNELS_H
#define TINY_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Element types of stored tensors. The numbers are ours; a file format's own numbers stay in its reader.
typedef enum {
    TK_F32, TK_F16, TK_BF16,
    TK_Q8_0, TK_Q4_0, TK_Q4_1, TK_Q5_0, TK_Q5_1,
    TK_Q2_K, TK_Q3_K, TK_Q4_K, TK_Q5_K, TK_Q6_K,
    TK_IQ4_NL, TK_IQ4_XS, TK_MXFP4,
    TK_TYPE_COUNT
} tk_type;

// Elements of a block that share one scale and one offset once unpacked, for every quantized type.
enum { TK_GROUP = 16 };

// Elements in a block, and bytes that a block takes.
long tk_block_elements(tk_type type);
long tk_block_bytes(tk_type type);

// --- Unpacking (unpack.c): one routine per element type, the only code that knows the block layouts. ---

// Quantized types: `count` elements (whole blocks) into codes, and a scale and an offset per group, such that
//     weight = scale · code + offset
// exactly as the type is defined, in single precision.
void tk_unpack(tk_type type, const void *blocks, long count, int8_t *codes, float *scales, float *offsets);

// Any type to float. `count` is a multiple of the block.
void tk_expand(tk_type type, const void *source, long count, float *values);

// The same, added to what is there.
void tk_add_row(tk_type type, const void *source, long count, float *values);

// --- Kernels of one instruction set. ---

// One row of weights, unpacked: weight[i] = scales[g] · codes[i] + offsets[g], g = i / TK_GROUP.
typedef struct {
    int8_t *codes;   // [K]
    float *scales;   // [K / TK_GROUP]
    float *offsets;  // [K / TK_GROUP]
} tk_unpacked;

// One row of activations in codes of 15 bits: value ≈ scales[g] · code[i]. Eight bits would be cheaper to multiply by,
// but a few activations of some models are a thousand times their neighbours, and round those away.
typedef struct {
    int16_t *codes;  // [K], arranged as the instruction set likes it
    float *scales;   // [K / TK_GROUP]
    float *sums;     // [K / TK_GROUP] scale times the sum of the group's codes, for weights with an offset
} tk_quantized;

// The largest code.
enum { TK_LARGEST_CODE = 127 * 128 };

typedef struct {
    const char *name;

    // c[i][j] = Σ_k a[i][k] · b[j][k]  for i < m, j < n. The order of a sum depends on k alone, never on m or n.
    void (*multiply)(const float *a, long a_stride, long m, const float *b, long b_stride, long n, long k,
                     float *c, long c_stride);

    // Σ_i weight[i] · activation[i]; k is a multiple of TK_GROUP.
    float (*dot_codes)(const tk_unpacked *weight, const tk_quantized *activation, long k);

    // Rounds k values (a multiple of TK_GROUP) to codes, the largest of each group to ±TK_LARGEST_CODE.
    void (*quantize)(const float *values, long k, const tk_quantized *out);

    // y += a · x, and Σ x · y.
    void (*add_scaled)(float *y, float a, const float *x, long n);
    float (*dot)(const float *x, const float *y, long n);
} tk_kernels;

// The instruction sets this build has code for, best first; NULL past the end.
const tk_kernels *tk_kernels_at(int index);
// Whether this machine can run them.
bool tk_is_supported(const tk_kernels *kernels);

// --- Products with stored weights (product.c): y[i][j] = Σ_k x[i][k] · weight[j][k], i < m, j < n. ---

// Row `i` of rows of codes that stand one after the other.
static inline tk_quantized tk_quantized_row(const tk_quantized *rows, long i, long k) {
    return (tk_quantized){rows->codes + i * k, rows->scales + i * (k / TK_GROUP), rows->sums + i * (k / TK_GROUP)};
}

// Float activations; `panel` is scratch of panel_rows · k floats.
void tk_product_floats(const tk_kernels *kernels, tk_type type, const uint8_t *weights, long row_bytes, long n, long k,
                       const float *x, long m, float *y, long y_stride, float *panel, long panel_rows);
// Quantized weights and activations; `row` is scratch for one unpacked row of weights.
void tk_product_codes(const tk_kernels *kernels, tk_type type, const uint8_t *weights, long row_bytes, long n, long k,
                      const tk_quantized *x, long m, float *y, long y_stride, const tk_unpacked *row);
// Rows first..<end of x to codes.
void tk_quantize_rows(const tk_kernels *kernels, const float *x, long first, long end, long k, const tk_quantized *out);

// --- Element-wise (elementwise.c): sums in double, the same on every machine up to the compiler's libm. ---

// y = x / √(mean(x²) + ε) · weight
void tk_rms_norm(float *y, const float *x, const float *weight, float epsilon, long n);
// y = (x − mean) / √(variance + ε) · weight + bias; bias may be NULL.
void tk_layer_norm(float *y, const float *x, const float *weight, const float *bias, float epsilon, long n);
// x = factor · x
void tk_scale(float *x, float factor, long n);
// x += y
void tk_add(float *x, const float *y, long n);
// In place e^(x − max) / Σ.
void tk_softmax(float *x, long n);

typedef enum { TK_SILU, TK_GELU, TK_GELU_TANH, TK_RELU } tk_activation;
// x = f(x), and x = f(x) · y.
void tk_activate(tk_activation f, float *x, long n);
void tk_activate_gated(tk_activation f, float *x, const float *y, long n);

// cosines[t][i] = magnitude · cos((first + t) · frequencies[i]), and sines alike.
void tk_rotary_angles(const float *frequencies, long pairs, long first, long count, float magnitude, float *cosines,
                      float *sines);

// Rotates `pairs` pairs of one head by the angles whose cosines and sines are given. Partners stand `pairs` apart
// (halves) or side by side (neighbours).
void tk_rotate_halves(float *head, const float *cosines, const float *sines, long pairs);
void tk_rotate_neighbours(float *head, const float *cosines, const float *sines, long pairs);

// target[j][i] = source[i][j], elements of `size` bytes.
void tk_transpose(const void *source, long rows, long columns, long size, void *target);

// One query head over the cached tokens first..<count:
//     out = softmax(scale · q·kᵀ) · v
// keys and values are [count, width]; scores is scratch of `count` floats.
void tk_attend(const tk_kernels *kernels, const float *query, const float *keys, const float *values, long first,
               long count, long width, float scale, float *scores, float *out);

// Cores that this process may run on; 0 where the system does not say.
int tk_affinity_count(void);

// Tells the processor that this thread is waiting.
#if defined(__x86_64__)
static inline void tk_pause(void) { __builtin_ia32_pause(); }
#else
static inline void tk_pause(void) { __asm__ volatile("yield"); }
#endif

#endif
