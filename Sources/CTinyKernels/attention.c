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

// What rows of queries see between them, and how their scores lie.
typedef struct {
    long first, n, stride, step;
} span;

static span span_of(long m, tk_type type, const long *firsts, const long *counts) {
    long first = firsts[0], end = counts[0];
    for (long i = 1; i < m; i++) {
        first = firsts[i] < first ? firsts[i] : first;
        end = counts[i] > end ? counts[i] : end;
    }
    first = first / BLOCK * BLOCK;  // blocks begin at the same tokens in any company
    const long n = end - first;
    return (span){first, n, n + 1, type == TK_F32 ? n : BLOCK};
}

// scores[i][j] = the weight that row i gives token first + j, 0 where it does not see it.
static void weights_of(const tk_kernels *kernels, const float *queries, long m, tk_type type, const void *keys,
                       const long *firsts, const long *counts, long width, float scale, const tk_score_terms *terms,
                       const span seen, float *block, float *scores) {
    for (long j = 0; j < seen.n; j += seen.step) {
        long count = seen.n - j < seen.step ? seen.n - j : seen.step;
        const float *rows = floats_of(kernels, type, keys, seen.first + j, count, width, block);
        kernels->multiply(queries, width, m, rows, width, count, width, scores + j, seen.stride);
    }
    for (long i = 0; i < m; i++) {
        float *row = scores + i * seen.stride;
        long begin = firsts[i] - seen.first, count = counts[i] - firsts[i];
        kernels->scale(row + begin, scale, count);
        if (terms && terms->cap > 0) { kernels->cap(row + begin, terms->cap, count); }
        if (terms && terms->biases) { kernels->add(row + begin, terms->biases[i] + firsts[i], count); }
        // A sink stands behind the last score, where it is wiped out again.
        if (terms && terms->sinks) { row[begin + count] = terms->sinks[i]; }
        kernels->softmax(row + begin, terms && terms->sinks ? count + 1 : count);
        // What others see and this one does not weighs nothing.
        for (long j = 0; j < begin; j++) { row[j] = 0; }
        for (long j = begin + count; j < seen.stride; j++) { row[j] = 0; }
    }
}

void tk_attend(const tk_kernels *kernels, const float *queries, long m, tk_type type, const void *keys, const void *values,
               const long *firsts, const long *counts, long width, float scale, const tk_score_terms *terms, float *scratch,
               float *out) {
    const span seen = span_of(m, type, firsts, counts);
    float *block = scratch, *scores = scratch + BLOCK * width;
    // Values come from memory while scores are computed.
    if (type == TK_F16) {
        prefetch((const uint16_t *)values + seen.first * width, (seen.n < BLOCK ? seen.n : BLOCK) * width * 2);
    }
    weights_of(kernels, queries, m, type, keys, firsts, counts, width, scale, terms, seen, block, scores);
    for (long j = 0; j < seen.n; j += seen.step) {
        long count = seen.n - j < seen.step ? seen.n - j : seen.step;
        const float *rows = floats_of(kernels, type, values, seen.first + j, count, width, block);
        kernels->weigh(scores + j, seen.stride, m, rows, width, count, out, j > 0);
    }
}

void tk_attention_weights(const tk_kernels *kernels, const float *query, tk_type type, const void *keys, long first, long count,
                          long width, float scale, const tk_score_terms *terms, float *scratch, float *weights) {
    const span seen = span_of(1, type, &first, &count);
    float *scores = scratch + BLOCK * width;
    weights_of(kernels, query, 1, type, keys, &first, &count, width, scale, terms, seen, scratch, scores);
    for (long j = first; j < count; j++) { weights[j] = scores[j - seen.first]; }
}

long tk_attention_floats(long width, long m, long tokens) { return BLOCK * width + m * (tokens + BLOCK + 1); }
