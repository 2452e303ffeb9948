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

// The nearest half, as its bits.
uint16_t tk_to_half(float value);

#define TK_LARGEST_HALF 65504.0f

// --- Quantizing (quantize.c): floats to an element type. ---

// Whether there is a way to this type.
bool tk_can_quantize(tk_type type);

// A row of `count` floats, whole blocks, to `out`. `importance`, a number ≥ 0 for each, is what the square of its error
// counts; NULL without. Returns −1, or the index of the first float that is not finite or too large for the type: then
// nothing in `out` is of use.
long tk_quantize(tk_type type, const float *x, long count, const float *importance, void *out);
// The same by code for any processor, which gives the same.
long tk_quantize_portably(tk_type type, const float *x, long count, const float *importance, void *out);

// target[j][i] = source[i][j], elements of `size` bytes.
void tk_transpose(const void *source, long rows, long columns, long size, void *target);

// The sixteen codes of a type whose codes are looked up.
void tk_code_table(tk_type type, int8_t *codes);

// --- Kernels of one instruction set. ---

// Rows of activations in codes of 15 bits: value ≈ scales[b] · code[i], b = i / 32. Eight bits would be cheaper to
// multiply by, but a few activations of some models are a thousand times their neighbours, and round those away. A code
// is high · 128 + low, two numbers of 8 bits. Row i begins at i · K elements, and i · K / 32 or K / 16 of the others.
//
// Coarse ones have 8 bits, and low is 0, but in blocks that are much larger than the row's others: a block's error goes by
// its largest value, so that these few made nearly all of it. (Whole columns in more bits: Dettmers et al. 2022,
// arXiv:2208.07339.)
typedef struct {
    int8_t *high;    // [T, K] −127…127
    int8_t *low;     // [T, K] −64…63
    float *scales;   // [T, K / 32]
    int32_t *sums;   // [T, K / 16] of the codes of a group
    bool is_coarse;  // said by who rounds; what it multiplies by must do for any `low`
} tk_quantized;

// The largest code.
enum { TK_LARGEST_CODE = 127 * 128 };

// Rows of weights that are packed together.
enum { TK_PANEL_ROWS = 16 };

// Weights, packed: see packed_format.h; floats and halves as [inputs][rows]. Panels stand one after the other, the last filled up with zeros.
typedef struct {
    const uint8_t *panels;
    long rows, columns;
    long panel_bytes;
    tk_type type;
    bool is_narrow;     // Q4_0, Q4_1, Q4_K and fewer bits: coarse activations are good enough, where they are faster
    uint8_t table[16];  // code + 128 for each index, where codes are looked up
} tk_packed;

// Inputs that weights are expanded for at a time where they are multiplied in tiles.
enum { TK_TILE_BLOCK = 2048 };
// Numbers of scratch for that: two panels, and the next two.
enum { TK_TILE_SCRATCH = 4 * TK_PANEL_ROWS * TK_TILE_BLOCK };
// Rows of queries that are taken together there.
enum { TK_TILE_QUERIES = 32 };

typedef enum { TK_SILU, TK_GELU, TK_GELU_TANH, TK_GELU_QUICK, TK_RELU } tk_activation;

// What some models do to scores besides: score = cap · tanh(scale · q·k / cap) + bias, and a sink in the softmax.
typedef struct {
    float cap;                   // 0: none
    const float *const *biases;  // [m], biases[i][j] for token j; NULL: none
    const float *sinks;          // [m], a score without a value; NULL: none
} tk_score_terms;

typedef struct tk_kernels {
    const char *name;
    // Whether several rows of coarse activations are faster to multiply by, in narrow weights.
    bool prefers_coarse;

    // c[i][j] = Σ_k a[i][k] · b[j][k]  for i < m, j < n, where b is TK_F32 or TK_F16, aligned or not. The order of a sum
    // depends on k alone, never on m or n.
    void (*multiply)(const float *a, long a_stride, long m, tk_type type, const void *b, long b_stride, long n, long k,
                     float *c, long c_stride);

    // Quantized weights: y[i][j] = Σ_k x[i][k] · weight[j][k] for i < m and the rows of panels first..<end. The order of a sum depends on
    // the number of columns alone.
    void (*multiply_packed)(const tk_packed *weight, long first, long end, const tk_quantized *x, long m, float *y,
                            long y_stride);

    // The same for floats and halves, by activations as they are, [m, K]; K is even.
    void (*multiply_floats)(const tk_packed *weight, long first, long end, const float *x, long m, float *y, long y_stride);

    // Rounds k values (a multiple of 32) to codes, the largest of each block to ±TK_LARGEST_CODE.
    void (*quantize)(const float *values, long k, int8_t *high, int8_t *low, float *scales, int32_t *sums);

    // out[i] = Σ_j p[i][j] · v[j] for i < m, each v[j] of `width` elements, TK_F32 or TK_F16; summed in the order of j, behind
    // what is there if `adds`.
    void (*weigh)(const float *p, long p_stride, long m, tk_type type, const void *v, long width, long n, float *out,
                  bool adds);

    // Floats to halves; what is too large for a half becomes the largest one.
    void (*narrow)(const float *values, long n, uint16_t *halves);

    // Element-wise (elementwise.h); sums are in double.

    // y = x / √(mean(x²) + ε) · weight
    void (*rms_norm)(float *y, const float *x, const float *weight, float epsilon, long n);
    // y = (x − mean) / √(variance + ε) · weight + bias; bias may be NULL.
    void (*layer_norm)(float *y, const float *x, const float *weight, const float *bias, float epsilon, long n);
    // x += y
    void (*add)(float *x, const float *y, long n);
    // x = factor · x
    void (*scale)(float *x, float factor, long n);
    // In place e^(x − max) / Σ.
    void (*softmax)(float *x, long n);
    // x = f(x), and x = f(x) · y.
    void (*activate)(tk_activation f, float *x, long n);
    void (*activate_gated)(tk_activation f, float *x, const float *y, long n);
    // x = cap · tanh(x / cap)
    void (*cap)(float *x, float cap, long n);
    // x = min(x, limit), y = min(max(y, −limit), limit) + 1
    void (*clamp)(float *x, float *y, float limit, long n);
    // Rotates `pairs` pairs of one head by the angles whose cosines and sines are given. Partners stand `pairs` apart
    // (halves) or side by side (neighbours).
    void (*rotate_halves)(float *head, const float *cosines, const float *sines, long pairs);
    void (*rotate_neighbours)(float *head, const float *cosines, const float *sines, long pairs);

    // For prompts, where there are units that multiply numbers of 16 bits in tiles; NULL elsewhere, and multiply_packed
    // serves instead.

    // Rounds rows first..<end of x [m, k] to bf16, in tiles of 16 rows by 32 inputs: ⌈m / 16⌉ · 16 · k numbers. `first` is a
    // multiple of 16, and so is `end` unless it is m.
    void (*round_rows)(const float *x, long first, long end, long m, long k, uint16_t *rounded);
    // As multiply_packed, for quantized weights, which are rounded to bf16 as well, and for those in bf16; sums in single
    // precision. `tiles` is scratch of TK_TILE_SCRATCH numbers.
    void (*multiply_rounded)(const tk_packed *weight, long first, long end, const uint16_t *rounded, long m, float *y,
                             long y_stride, uint16_t *tiles);
    // hidden[i][j] = f(Σ_k x[i][k] · gate[j][k]) · Σ_k x[i][k] · up[j][k], rounded and in tiles as round_rows leaves them:
    // sums are never in memory. The matrices are of one type and shape, with at most TK_TILE_BLOCK columns.
    void (*multiply_gated)(const tk_packed *gate, const tk_packed *up, long first, long end, const uint16_t *rounded, long m,
                           tk_activation f, uint16_t *hidden, uint16_t *tiles);
    // Tokens first..<end of one head's cache, `first` a multiple of 32, as attend_packed takes them: keys of ⌈n / 32⌉ · 32 ·
    // ⌈width / 32⌉ · 64 numbers, values of ⌈n / 32⌉ · 32 · ⌈width / 16⌉ · 16, for n tokens in all. What is behind the last
    // sixteen tokens that have keys is read and not used.
    void (*pack_tokens)(tk_type type, const void *keys, const void *values, long first, long end, long width,
                        uint16_t *packed_keys, uint16_t *packed_values);
    // What the numbers are is the kernels' own affair: tiles of bf16 with AMX, floats and halves with AVX-512.
    //
    // As tk_attend, for at most TK_TILE_QUERIES rows.
    void (*attend_packed)(const float *queries, long m, const uint16_t *keys, const uint16_t *values, const long *firsts,
                          const long *counts, long width, float scale, const tk_score_terms *terms, float *scratch,
                          float *out);
    long (*attend_packed_floats)(long width);

    // The same for every instruction set, by other kernels of the table they are given: see below. They stand here so that
    // a table can have its own.
    void (*product_floats)(const struct tk_kernels *kernels, tk_type type, const uint8_t *weights, long row_bytes, long n,
                           long k, const float *x, long m, float *y, long y_stride, float *panel, long panel_rows);
    void (*quantize_rows)(const struct tk_kernels *kernels, const float *x, long first, long end, long k,
                          const tk_quantized *out);
    void (*attend)(const struct tk_kernels *kernels, const float *queries, long m, tk_type type, const void *keys,
                   const void *values, const long *firsts, const long *counts, long width, float scale,
                   const tk_score_terms *terms, float *scratch, float *out);
} tk_kernels;

// The instruction sets this build has code for, best first; NULL past the end.
const tk_kernels *tk_kernels_at(int index);
// Whether this machine can run them.
bool tk_is_supported(const tk_kernels *kernels);

// --- Products with stored weights (product.c): y[i][j] = Σ_k x[i][k] · weight[j][k], i < m, j < n. ---

// Float activations; `panel` is scratch of panel_rows · k floats.
void tk_product_floats(const tk_kernels *kernels, tk_type type, const uint8_t *weights, long row_bytes, long n, long k,
                       const float *x, long m, float *y, long y_stride, float *panel, long panel_rows);
// Rows first..<end of x to codes, coarse ones if `out` says so.
void tk_quantize_rows(const tk_kernels *kernels, const float *x, long first, long end, long k, const tk_quantized *out);

// --- Packing (pack.c) ---

// How a matrix of this type is packed; `panels` is left to the caller, panel_bytes · ⌈rows / TK_PANEL_ROWS⌉ bytes.
tk_packed tk_packed_format(tk_type type, long rows, long columns);
// Packs `row_count` rows, at most TK_PANEL_ROWS, into one panel.
void tk_pack_panel(const tk_packed *packed, const uint8_t *rows, long row_bytes, long row_count, uint8_t *panel);

// --- Attention (attention.c) ---

// m rows of queries [m, width], each over the cached tokens firsts[i]..<counts[i]:
//     out = softmax(scale · q·kᵀ) · v
// keys and values are [tokens, width], floats or halves. A row's result does not depend on the others. `terms` may be NULL.
void tk_attend(const tk_kernels *kernels, const float *queries, long m, tk_type type, const void *keys, const void *values,
               const long *firsts, const long *counts, long width, float scale, const tk_score_terms *terms, float *scratch,
               float *out);
// The weights in that for one row, for those who want to see them: weights[j] for token j of first..<count, which sum to 1 with
// what a sink takes. Scratch as above.
void tk_attention_weights(const tk_kernels *kernels, const float *query, tk_type type, const void *keys, long first, long count,
                          long width, float scale, const tk_score_terms *terms, float *scratch, float *weights);
// Floats of its scratch, for m rows that see `tokens` tokens between them.
long tk_attention_floats(long m, long tokens);

// --- Positions (rotary.c) ---

// cosines[t][i] = magnitude · cos((first + t) · frequencies[i]), and sines alike.
void tk_rotary_angles(const float *frequencies, long pairs, long first, long count, float magnitude, float *cosines,
                      float *sines);

// --- The machine (machine.c) ---

// Cores that this process may run on; 0 where the system does not say.
int tk_affinity_count(void);

// Gives two files or folders each other's name, in one step; false, with errno set, if the system could not.
bool tk_exchange_names(const char *a, const char *b);

// Time since some moment, by a clock that is never set.
uint64_t tk_nanoseconds(void);

// Tells the processor that this thread is waiting.
#if defined(__x86_64__)
static inline void tk_pause(void) { __builtin_ia32_pause(); }
#elif defined(__aarch64__)
static inline void tk_pause(void) { __asm__ volatile("isb"); }  // `yield` takes no time on most
#else
static inline void tk_pause(void) {}
#endif

#endif
