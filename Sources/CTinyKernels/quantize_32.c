// To blocks of 32. Without importances bit for bit as the Python package `gguf` has it: the scale from the extreme, codes by
// rounding.
#include "halves.h"
#include "quantize.h"

#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

// A code as a conversion gives it: what is no number or too large for one, where a scale has no inverse, is 0.
static inline int whole(float x) { return fabsf(x) < 0x1p31f ? (int)x : 0; }

static inline uint8_t limited(float x, int top) {
    uint8_t code = (uint8_t)whole(x);
    return code > top ? (uint8_t)top : code;
}

static inline void join_fifth_bits(const uint8_t *codes, uint8_t *fifth) {
    memset(fifth, 0, 4);
    for (int j = 0; j < 32; j++) { fifth[j / 8] |= (uint8_t)((codes[j] >> 4) << j % 8); }
}

typedef struct { half_bits d, m; uint8_t codes[32]; } group_codes;

// The weight farthest from zero has the lowest code.
static void round_symmetric(const float *x, int half, group_codes *out) {
    float largest = x[0];
    for (int i = 1; i < 32; i++) { largest = fabsf(x[i]) > fabsf(largest) ? x[i] : largest; }
    float d = largest / (float)-half, inverse = d == 0 ? 0 : 1 / d;
    out->d = tk_to_half(d);
    for (int i = 0; i < 32; i++) { out->codes[i] = limited(x[i] * inverse + ((float)half + 0.5f), 2 * half - 1); }
}

static void round_affine(const float *x, int top, group_codes *out) {
    float low = x[0], high = x[0];
    for (int i = 1; i < 32; i++) {
        low = x[i] < low ? x[i] : low;
        high = x[i] > high ? x[i] : high;
    }
    float d = (high - low) / (float)top, inverse = d == 0 ? 0 : 1 / d;
    out->d = tk_to_half(d);
    out->m = tk_to_half(low);
    for (int i = 0; i < 32; i++) { out->codes[i] = limited((x[i] - low) * inverse + 0.5f, top); }
}

// Codes for the scale as the half has it.
static void search_symmetric(const tk_search *search, const float *x, const float *w, float unit, int half, group_codes *out) {
    out->d = tk_to_half(search->scale(x, w, 32, (float)half) * unit);
    float d = from_half(out->d) / unit, inverse = d == 0 ? 0 : 1 / d;
    for (int i = 0; i < 32; i++) {
        out->codes[i] = (uint8_t)(fmaxf((float)-half, fminf(rintf(x[i] * inverse), (float)(half - 1))) + (float)half);
    }
}

static void search_affine(const tk_search *search, const float *x, const float *w, float unit, int top, group_codes *out) {
    float scale, low;
    search->line(x, w, 32, (float)top, false, &scale, &low);
    out->d = tk_to_half(scale * unit);
    out->m = tk_to_half(low * unit);
    float d = from_half(out->d) / unit, m = from_half(out->m) / unit, inverse = d == 0 ? 0 : 1 / d;
    for (int i = 0; i < 32; i++) { out->codes[i] = (uint8_t)fmaxf(0, fminf(rintf((x[i] - m) * inverse), (float)top)); }
}

static void quantize_q8_0(const float *x, block_q8_0 *b) {
    float largest = 0;
    for (int i = 0; i < 32; i++) { largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest; }
    float d = largest / 127, inverse = d == 0 ? 0 : 1 / d;
    b->d = tk_to_half(d);
    // Halves away from zero.
    for (int i = 0; i < 32; i++) { b->codes[i] = (int8_t)whole(roundf(x[i] * inverse)); }
}

// Half, then half or none, then fifth bits or none, then nibbles: blocks.h.
static void write_codes(const group_codes *codes, bool has_low, bool has_fifth_bits, uint8_t *block) {
    memcpy(block, &codes->d, sizeof codes->d);
    block += sizeof codes->d;
    if (has_low) {
        memcpy(block, &codes->m, sizeof codes->m);
        block += sizeof codes->m;
    }
    if (has_fifth_bits) {
        join_fifth_bits(codes->codes, block);
        block += 4;
    }
    join_nibbles(codes->codes, 16, block);
}

bool tk_quantize_32(const tk_search *search, tk_type type, const float *x, const float *w, float unit, long n, void *blocks) {
    const bool is_affine = type == TK_Q4_1 || type == TK_Q5_1, has_fifth_bits = type == TK_Q5_0 || type == TK_Q5_1;
    const int top = has_fifth_bits ? 31 : 15, half = (top + 1) / 2;
    bool fits = true;
    uint8_t *block = blocks;
    for (long i = 0; i < n; i += 32, block += tk_block_bytes(type)) {
        if (type == TK_Q8_0) {
            quantize_q8_0(x + i, (block_q8_0 *)block);
            fits &= is_finite_half(((block_q8_0 *)block)->d);
            continue;
        }
        group_codes codes = {0};
        if (is_affine) {
            w ? search_affine(search, x + i, w + i, unit, top, &codes) : round_affine(x + i, top, &codes);
        } else {
            w ? search_symmetric(search, x + i, w + i, unit, half, &codes) : round_symmetric(x + i, half, &codes);
        }
        fits &= is_finite_half(codes.d) && is_finite_half(codes.m);
        write_codes(&codes, is_affine, has_fifth_bits, block);
    }
    return fits;
}
