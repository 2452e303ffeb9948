// What the parts of quantizing share: the search for scales and codes, of one instruction set, and the types in blocks.
#ifndef TINY_QUANTIZE_H
#define TINY_QUANTIZE_H

#include "blocks.h"
#include "include/tiny_kernels.h"

// 256 weights in groups, whose scales are whole multiples of a common one.
typedef struct {
    float d, dmin;       // numbers that a half has, divided by the unit
    int8_t scales[16];   // of each group
    uint8_t offsets[8];
    uint8_t codes[256];  // less the smallest
} tk_block_fit;

// Of n weights x, a multiple of eight, with importances w ≥ 0 that are not all zero. A `unit` is a power of two that x was
// divided by, so that no square overflows.
typedef struct {
    // x ≈ scale · q + low, q in 0…top.
    void (*line)(const float *x, const float *w, int n, float top, bool below_zero, float *scale, float *low);
    // x ≈ scale · q, q in −half…half − 1.
    float (*scale)(const float *x, const float *w, int n, float half);
    // x ≈ d · scales[g] · q − dmin · offsets[g], groups of 32, q in 0…top, scales and offsets in 0…63.
    void (*affine_block)(const float *x, const float *w, float top, float unit, tk_block_fit *fit);
    // x ≈ d · scales[g] · q, groups of 16, q in −32…31, scales in −128…127.
    void (*symmetric_block)(const float *x, const float *w, float unit, tk_block_fit *fit);
} tk_search;

extern const tk_search tk_search_plain, tk_search_avx2;

// n weights to blocks of 32, at most eight of them; with importances w by searching. False if a scale is too large for a half.
bool tk_quantize_32(const tk_search *search, tk_type type, const float *x, const float *w, float unit, long n, void *blocks);
// 256 weights to one block, as above.
bool tk_quantize_256(const tk_search *search, tk_type type, const float *x, const float *w, float unit, void *block);

// Two codes a byte: those of the first half are the low ones.
static inline void join_nibbles(const uint8_t *codes, int half, uint8_t *nibbles) {
    for (int j = 0; j < half; j++) { nibbles[j] = (uint8_t)((codes[j] & 15) | codes[j + half] << 4); }
}

static inline bool is_finite_half(half_bits half) { return (half & 0x7C00) != 0x7C00; }

#endif
