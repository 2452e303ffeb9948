// To blocks of 256. Scales are always searched for (quantize_search.h).
#include "quantize.h"

#include <string.h>

// Eight 6-bit scales and minima in twelve bytes: the first four of each whole, of the others the upper bits in the two
// bits left over.
static void join_six_bits(const tk_block_fit *fit, uint8_t *packed) {
    for (int s = 0; s < 4; s++) {
        uint8_t scale = (uint8_t)fit->scales[s + 4], offset = fit->offsets[s + 4];
        packed[s] = (uint8_t)(fit->scales[s] | scale >> 4 << 6);
        packed[s + 4] = (uint8_t)(fit->offsets[s] | offset >> 4 << 6);
        packed[s + 8] = (uint8_t)((scale & 15) | offset << 4);
    }
}

static bool quantize_q4_k(const tk_search *search, const float *x, const float *w, float unit, block_q4_k *b) {
    tk_block_fit fit;
    search->affine_block(x, w, 15, unit, &fit);
    b->d = tk_to_half(fit.d * unit);
    b->dmin = tk_to_half(fit.dmin * unit);
    join_six_bits(&fit, b->scales);
    for (int part = 0; part < 4; part++) { join_nibbles(fit.codes + 64 * part, 32, b->nibbles + 32 * part); }
    return is_finite_half(b->d) && is_finite_half(b->dmin);
}

static bool quantize_q5_k(const tk_search *search, const float *x, const float *w, float unit, block_q5_k *b) {
    tk_block_fit fit;
    search->affine_block(x, w, 31, unit, &fit);
    b->d = tk_to_half(fit.d * unit);
    b->dmin = tk_to_half(fit.dmin * unit);
    join_six_bits(&fit, b->scales);
    memset(b->fifth, 0, 32);
    for (int part = 0; part < 4; part++) { join_nibbles(fit.codes + 64 * part, 32, b->nibbles + 32 * part); }
    for (int i = 0; i < 256; i++) { b->fifth[i % 32] |= (uint8_t)((fit.codes[i] >> 4) << i / 32); }
    return is_finite_half(b->d) && is_finite_half(b->dmin);
}

static bool quantize_q6_k(const tk_search *search, const float *x, const float *w, float unit, block_q6_k *b) {
    tk_block_fit fit;
    search->symmetric_block(x, w, unit, &fit);
    b->d = tk_to_half(fit.d * unit);
    memcpy(b->scales, fit.scales, 16);
    memset(b->high, 0, 64);
    for (int half = 0; half < 2; half++) {
        const uint8_t *codes = fit.codes + 128 * half;
        join_nibbles(codes, 64, b->low + 64 * half);
        for (int i = 0; i < 128; i++) { b->high[32 * half + i % 32] |= (uint8_t)(codes[i] >> 4 << 2 * (i / 32)); }
    }
    return is_finite_half(b->d);
}

bool tk_quantize_256(const tk_search *search, tk_type type, const float *x, const float *w, float unit, void *block) {
    switch (type) {
    case TK_Q4_K: return quantize_q4_k(search, x, w, unit, block);
    case TK_Q5_K: return quantize_q5_k(search, x, w, unit, block);
    default: return quantize_q6_k(search, x, w, unit, block);
    }
}
