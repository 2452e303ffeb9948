// One group of heads: queries by the keys of a cache, softmax, and the values weighed by it.
#include "include/tiny_kernels.h"

// Cached tokens that are widened to floats at a time, where the cache holds halves.
enum { BLOCK = 64 };

static void prefetch(const void *from, long bytes) {
    for (long i = 0; i < bytes; i += 64) { __builtin_prefetch((const char *)from + i); }
}

// The next tokens of a cache as floats, where they lie if they are floats.
static const float *floats_of(const tk_kernels *kernels, tk_type type, const void *tokens, long first, long count, long width,
                              float *block) {
    if (type == TK_F32) { return (const float *)tokens + first * width; }
    const uint16_t *halves = (const uint16_t *)tokens + first * width;
    prefetch(halves + count * width, count * width * 2);  // the next ones; behind the last there is nothing to lose
    kernels->widen(halves, count * width, block);
    return block;
}

void tk_attend(const tk_kernels *kernels, const float *queries, long m, tk_type type, const void *keys, const void *values,
               const long *firsts, const long *counts, long width, float scale, const tk_score_terms *terms, float *scratch,
               float *out) {
    long first = firsts[0], end = counts[0];
    for (long i = 1; i < m; i++) {
        first = firsts[i] < first ? firsts[i] : first;
        end = counts[i] > end ? counts[i] : end;
    }
    first = first / BLOCK * BLOCK;  // blocks begin at the same tokens in any company
    const long n = end - first, stride = n + 1, step = type == TK_F32 ? n : BLOCK;
    float *block = scratch, *scores = scratch + BLOCK * width;
    // Values come from memory while scores are computed.
    if (type == TK_F16) { prefetch((const uint16_t *)values + first * width, (n < BLOCK ? n : BLOCK) * width * 2); }
    for (long j = 0; j < n; j += step) {
        long count = n - j < step ? n - j : step;
        const float *rows = floats_of(kernels, type, keys, first + j, count, width, block);
        kernels->multiply(queries, width, m, rows, width, count, width, scores + j, stride);
    }
    for (long i = 0; i < m; i++) {
        float *row = scores + i * stride;
        long begin = firsts[i] - first, count = counts[i] - firsts[i];
        kernels->scale(row + begin, scale, count);
        if (terms && terms->cap > 0) { kernels->cap(row + begin, terms->cap, count); }
        if (terms && terms->biases) { kernels->add(row + begin, terms->biases[i] + firsts[i], count); }
        // A sink stands behind the last score, where it is wiped out again.
        if (terms && terms->sinks) { row[begin + count] = terms->sinks[i]; }
        kernels->softmax(row + begin, terms && terms->sinks ? count + 1 : count);
        // What others see and this one does not weighs nothing.
        for (long j = 0; j < begin; j++) { row[j] = 0; }
        for (long j = begin + count; j < stride; j++) { row[j] = 0; }
    }
    for (long j = 0; j < n; j += step) {
        long count = n - j < step ? n - j : step;
        const float *rows = floats_of(kernels, type, values, first + j, count, width, block);
        kernels->weigh(scores + j, stride, m, rows, width, count, out, j > 0);
    }
}

long tk_attention_floats(long width, long m, long tokens) { return BLOCK * width + m * (tokens + BLOCK + 1); }
