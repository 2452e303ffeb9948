// One group of heads: queries by the keys of a cache, softmax, and the values weighed by it.
#include "kernels.h"

// Cached tokens that are taken at a time, so that they are near where some rows follow others.
enum { BLOCK = 64 };

static const void *tokens_from(const void *tokens, tk_type type, long first, long width) {
    return (const uint8_t *)tokens + first * width * tk_float_bytes(type);
}

// What rows of queries see between them.
typedef struct {
    long first, n;
} span;

static span span_of(long m, const long *firsts, const long *counts) {
    long first = firsts[0], end = counts[0];
    for (long i = 1; i < m; i++) {
        first = firsts[i] < first ? firsts[i] : first;
        end = counts[i] > end ? counts[i] : end;
    }
    first = first / BLOCK * BLOCK;  // blocks begin at the same tokens in any company
    return (span){first, end - first};
}

// scores[i][j] = the weight that row i gives token first + j, 0 where it does not see it. A row has one more, see below.
static void weights_of(const tk_kernels *kernels, const float *queries, long m, tk_type type, const void *keys,
                       const long *firsts, const long *counts, long width, float scale, const tk_score_terms *terms,
                       const span seen, float *scores) {
    const long stride = seen.n + 1;
    for (long j = 0; j < seen.n; j += BLOCK) {
        kernels->multiply(queries, width, m, type, tokens_from(keys, type, seen.first + j, width), width,
                          seen.n - j < BLOCK ? seen.n - j : BLOCK, width, scores + j, stride);
    }
    for (long i = 0; i < m; i++) {
        float *row = scores + i * stride;
        long begin = firsts[i] - seen.first, count = counts[i] - firsts[i];
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
}

void tk_attend(const tk_kernels *kernels, const float *queries, long m, tk_type type, const void *keys, const void *values,
               const long *firsts, const long *counts, long width, float scale, const tk_score_terms *terms, float *scratch,
               float *out) {
    const span seen = span_of(m, firsts, counts);
    weights_of(kernels, queries, m, type, keys, firsts, counts, width, scale, terms, seen, scratch);
    for (long j = 0; j < seen.n; j += BLOCK) {
        kernels->weigh(scratch + j, seen.n + 1, m, type, tokens_from(values, type, seen.first + j, width), width,
                       seen.n - j < BLOCK ? seen.n - j : BLOCK, out, j > 0);
    }
}

void tk_attention_weights(const tk_kernels *kernels, const float *query, tk_type type, const void *keys, long first, long count,
                          long width, float scale, const tk_score_terms *terms, float *scratch, float *weights) {
    const span seen = span_of(1, &first, &count);
    weights_of(kernels, query, 1, type, keys, &first, &count, width, scale, terms, seen, scratch);
    for (long j = first; j < count; j++) { weights[j] = scratch[j - seen.first]; }
}

long tk_attention_floats(long m, long tokens) { return m * (tokens + BLOCK + 1); }
