// From floats to every element type that is written.
//
// Without importances the types of 32, and Q8_0 always, are bit for bit those of the Python package `gguf`. With importances,
// and for the types of 256 always, scales are searched for (quantize_search.h).
#include "quantize.h"

#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

static const tk_search *best_search(void) {
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) { return &tk_search_avx2; }
#endif
    return &tk_search_plain;
}

// Where the weight farthest from zero is.
static long largest_of(const float *x, long n) {
    long found = 0;
    for (long i = 1; i < n; i++) { found = fabsf(x[i]) > fabsf(x[found]) ? i : found; }
    return found;
}

// The power of two at or below the largest of x, which x is divided by; 0 if all are zero or as good as.
static float unit_of(const float *x, long n) {
    const float largest = fabsf(x[largest_of(x, n)]);
    if (largest < 1e-30f) { return 0; }
    int exponent;
    frexpf(largest, &exponent);
    return ldexpf(1, exponent - 1);
}

// What an error in each weight counts: importance · √(2 · mean + x²) with the group's mean of x², where large weights of a row
// matter more than their squares say; without importances the size of the weight beside the usual one of its group.
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
        if (sum > 0 && sum < 1e30f) { continue; }
        for (long i = first; i < first + group; i++) { w[i] = 1; }  // inputs that were never seen, or beyond what squares hold
    }
}

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
                if (is_small) { tk_quantize_32(search, type, from, NULL, 1, n, block); }
                continue;
            }
            for (long i = 0; i < n; i++) { scaled[i] = from[i] / unit; }
            importances(scaled, given ? given + first : NULL, n, type == TK_Q6_K ? 16 : 32, w);
        }
        const bool fits = is_small ? tk_quantize_32(search, type, searches ? scaled : from, searches ? w : NULL, unit, n, block)
                                   : tk_quantize_256(search, type, scaled, w, unit, block);
        if (!fits) { return first + largest_of(from, n); }
    }
    return -1;
}

long tk_quantize(tk_type type, const float *x, long count, const float *importance, void *out) {
    return quantize_row(best_search(), type, x, count, importance, out);
}

long tk_quantize_portably(tk_type type, const float *x, long count, const float *importance, void *out) {
    return quantize_row(&tk_search_plain, type, x, count, importance, out);
}
