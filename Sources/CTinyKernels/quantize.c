// From floats to every element type that is written.
//
// Without importances the types of 32 are bit for bit those of the Python package `gguf`: the scale from the extreme, codes
// by rounding. With importances, and for the types of 256 always, scales are searched for (quantize_search.h).
#include "quantize.h"
#include "blocks.h"

#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

static const tk_search *best_search(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) { return &tk_search_avx2; }
#endif
    return &tk_search_plain;
}

// A code as a conversion gives it: what is no number or too large for one, where a scale has no inverse, is 0.
static inline int whole(float x) { return fabsf(x) < 0x1p31f ? (int)x : 0; }

static inline uint8_t limited(float x, int top) {
    uint8_t code = (uint8_t)whole(x);
    return code > top ? (uint8_t)top : code;
}

// Two codes a byte: those of the first half are the low ones.
static inline void join_nibbles(const uint8_t *codes, int half, uint8_t *nibbles) {
    for (int j = 0; j < half; j++) { nibbles[j] = (uint8_t)((codes[j] & 15) | codes[j + half] << 4); }
}

static inline void join_fifth_bits(const uint8_t *codes, uint8_t *fifth) {
    memset(fifth, 0, 4);
    for (int j = 0; j < 32; j++) { fifth[j / 8] |= (uint8_t)((codes[j] >> 4) << j % 8); }
}

// --- Blocks of 32 ---

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

static float expanded(half_bits half) {
    float value;
    tk_expand(TK_F16, &half, 1, &value);
    return value;
}

// Codes for the scale as the half has it.
static void search_symmetric(const tk_search *search, const float *x, const float *w, float unit, int half, group_codes *out) {
    out->d = tk_to_half(search->scale(x, w, 32, (float)half) * unit);
    float d = expanded(out->d) / unit, inverse = d == 0 ? 0 : 1 / d;
    for (int i = 0; i < 32; i++) {
        out->codes[i] = (uint8_t)(fmaxf((float)-half, fminf(rintf(x[i] * inverse), (float)(half - 1))) + (float)half);
    }
}

static void search_affine(const tk_search *search, const float *x, const float *w, float unit, int top, group_codes *out) {
    float scale, low;
    search->line(x, w, 32, (float)top, false, &scale, &low);
    out->d = tk_to_half(scale * unit);
    out->m = tk_to_half(low * unit);
    float d = expanded(out->d) / unit, m = expanded(out->m) / unit, inverse = d == 0 ? 0 : 1 / d;
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

// --- Importances ---

// The power of two at or below the largest of x, which x is divided by; 0 if all are zero or as good as.
static float unit_of(const float *x, long n) {
    float largest = 0;
    for (long i = 0; i < n; i++) { largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest; }
    if (largest < 1e-30f) { return 0; }
    int exponent;
    frexpf(largest, &exponent);
    return ldexpf(1, exponent - 1);
}

// What an error in each weight counts: importance · √(mean + x²), where large weights of a row matter more than their
// squares say; without importances the size of the weight beside the usual one of its group.
static void importances(const float *x, const float *given, long n, long group, float *w) {
    for (long first = 0; first < n; first += group) {
        float squares = 0, sum = 0;
        for (long i = first; i < first + group; i++) { squares += x[i] * x[i]; }
        float usual = sqrtf(squares / (float)group);
        for (long i = first; i < first + group; i++) {
            float size = 0.5f * usual * usual + x[i] * x[i];
            w[i] = given ? given[i] * sqrtf(2 * usual * usual + x[i] * x[i]) : group == 16 ? size : usual + fabsf(x[i]);
            sum += w[i];
        }
        if (sum > 0) { continue; }
        for (long i = first; i < first + group; i++) { w[i] = 1; }  // inputs that were never seen
    }
}

// --- Blocks of 256 ---

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

static void quantize_q4_k(const tk_search *search, const float *x, const float *w, float unit, block_q4_k *b) {
    tk_block_fit fit;
    search->affine_block(x, w, 15, unit, &fit);
    b->d = tk_to_half(fit.d * unit);
    b->dmin = tk_to_half(fit.dmin * unit);
    join_six_bits(&fit, b->scales);
    for (int part = 0; part < 4; part++) { join_nibbles(fit.codes + 64 * part, 32, b->nibbles + 32 * part); }
}

static void quantize_q5_k(const tk_search *search, const float *x, const float *w, float unit, block_q5_k *b) {
    tk_block_fit fit;
    search->affine_block(x, w, 31, unit, &fit);
    b->d = tk_to_half(fit.d * unit);
    b->dmin = tk_to_half(fit.dmin * unit);
    join_six_bits(&fit, b->scales);
    memset(b->fifth, 0, 32);
    for (int part = 0; part < 4; part++) { join_nibbles(fit.codes + 64 * part, 32, b->nibbles + 32 * part); }
    for (int i = 0; i < 256; i++) { b->fifth[i % 32] |= (uint8_t)((fit.codes[i] >> 4) << i / 32); }
}

static void quantize_q6_k(const tk_search *search, const float *x, const float *w, float unit, block_q6_k *b) {
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
}

// --- Rows ---

bool tk_can_quantize(tk_type type) {
    switch (type) {
    case TK_F32: case TK_F16: case TK_BF16: case TK_Q8_0: case TK_Q4_0: case TK_Q4_1: case TK_Q5_0: case TK_Q5_1:
    case TK_Q4_K: case TK_Q5_K: case TK_Q6_K: return true;
    default: return false;
    }
}

static uint16_t to_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static bool is_finite_half(half_bits half) { return (half & 0x7C00) != 0x7C00; }

// Blocks of 32, at most eight of them.
static bool quantize_32(const tk_search *search, tk_type type, const float *x, const float *w, float unit, long n,
                        void *out) {
    bool fits = true;
    for (long i = 0; i < n / 32; i++) {
        group_codes codes = {0};
        const float *from = x + 32 * i, *weights = w ? w + 32 * i : NULL;
        int half = type == TK_Q4_0 ? 8 : 16, top = type == TK_Q4_1 ? 15 : 31;
        if (type == TK_Q8_0) {
            block_q8_0 *b = (block_q8_0 *)out + i;
            quantize_q8_0(from, b);
            fits &= is_finite_half(b->d);
            continue;
        }
        if (type == TK_Q4_0 || type == TK_Q5_0) {
            w ? search_symmetric(search, from, weights, unit, half, &codes) : round_symmetric(from, half, &codes);
        } else {
            w ? search_affine(search, from, weights, unit, top, &codes) : round_affine(from, top, &codes);
        }
        fits &= is_finite_half(codes.d) && is_finite_half(codes.m);
        switch (type) {
        case TK_Q4_0: {
            block_q4_0 *b = (block_q4_0 *)out + i;
            b->d = codes.d;
            join_nibbles(codes.codes, 16, b->nibbles);
            break;
        }
        case TK_Q4_1: {
            block_q4_1 *b = (block_q4_1 *)out + i;
            b->d = codes.d;
            b->m = codes.m;
            join_nibbles(codes.codes, 16, b->nibbles);
            break;
        }
        case TK_Q5_0: {
            block_q5_0 *b = (block_q5_0 *)out + i;
            b->d = codes.d;
            join_fifth_bits(codes.codes, b->fifth);
            join_nibbles(codes.codes, 16, b->nibbles);
            break;
        }
        default: {
            block_q5_1 *b = (block_q5_1 *)out + i;
            b->d = codes.d;
            b->m = codes.m;
            join_fifth_bits(codes.codes, b->fifth);
            join_nibbles(codes.codes, 16, b->nibbles);
        }
        }
    }
    return fits;
}

static long quantize_row(const tk_search *search, tk_type type, const float *x, long count, const float *given, void *out) {
    uint8_t *to = out;
    for (long i = 0; i < count; i++) {
        if (!isfinite(x[i])) { return i; }
    }
    if (type == TK_F32) {
        memcpy(out, x, 4 * (size_t)count);
        return -1;
    }
    if (type == TK_F16 || type == TK_BF16) {
        for (long i = 0; i < count; i++) {
            uint16_t bits = type == TK_F16 ? tk_to_half(x[i]) : to_bf16(x[i]);
            if ((bits & 0x7FFF) == (type == TK_F16 ? 0x7C00 : 0x7F80)) { return i; }
            memcpy(to + 2 * i, &bits, 2);
        }
        return -1;
    }
    const bool is_small = tk_block_elements(type) == 32;
    const bool searches = type != TK_Q8_0 && (!is_small || given);
    for (long first = 0; first < count; first += 256) {
        const long n = count - first < 256 ? count - first : 256;
        const float *from = x + first;
        uint8_t *block = to + first / tk_block_elements(type) * tk_block_bytes(type);
        float scaled[256], w[256], unit = 1;
        if (searches) {
            unit = unit_of(from, n);
            if (unit == 0) {
                memset(block, 0, (size_t)(n / tk_block_elements(type) * tk_block_bytes(type)));
                if (is_small) { quantize_32(search, type, from, NULL, 1, n, block); }
                continue;
            }
            for (long i = 0; i < n; i++) { scaled[i] = from[i] / unit; }
            importances(scaled, given ? given + first : NULL, n, type == TK_Q6_K ? 16 : 32, w);
        }
        bool fits;
        switch (type) {
        case TK_Q4_K: {
            block_q4_k *b = (block_q4_k *)block;
            quantize_q4_k(search, scaled, w, unit, b);
            fits = is_finite_half(b->d) && is_finite_half(b->dmin);
            break;
        }
        case TK_Q5_K: {
            block_q5_k *b = (block_q5_k *)block;
            quantize_q5_k(search, scaled, w, unit, b);
            fits = is_finite_half(b->d) && is_finite_half(b->dmin);
            break;
        }
        case TK_Q6_K: {
            block_q6_k *b = (block_q6_k *)block;
            quantize_q6_k(search, scaled, w, unit, b);
            fits = is_finite_half(b->d);
            break;
        }
        default: fits = quantize_32(search, type, searches ? scaled : from, searches ? w : NULL, unit, n, block);
        }
        if (!fits) { return first; }
    }
    return -1;
}

long tk_quantize(tk_type type, const float *x, long count, const float *importance, void *out) {
    return quantize_row(best_search(), type, x, count, importance, out);
}

long tk_quantize_portably(tk_type type, const float *x, long count, const float *importance, void *out) {
    return quantize_row(&tk_search_plain, type, x, count, importance, out);
}
