// Rows of queries that see different tokens, taken together: each gives what the formula says, and the bits it gives alone.
// The bounds are those of AttentionKernelTests.swift.
#include "support.h"

#include <math.h>
#include <string.h>

enum { MOST_TOKENS = 300, WIDEST = 256, MOST_QUERIES = 32 };

static const float scale = 0.3f;

// The tokens of a head as floats, and as a cache holds them; up to the end of places 0 to 3.
typedef struct {
    long count, width;
    tk_type type;
    float *keys, *values;
    const void *stored_keys, *stored_values;
} tokens;

static const void *stored(tk_type type, float *values, long count, int place) {
    if (type == TK_F32) { return values; }
    uint16_t *halves = memory(place, count * (long)sizeof *halves, 0);
    for (long i = 0; i < count; i++) { halves[i] = tk_to_half(values[i]); }
    tk_expand(TK_F16, halves, count, values);
    return halves;
}

static tokens make_tokens(long count, long width, tk_type type, uint64_t seed) {
    generator random = {seed};
    tokens made = {.count = count, .width = width, .type = type};
    made.keys = floats(0, count * width);
    made.values = floats(1, count * width);
    fill_floats(&random, 1, made.keys, count * width);
    fill_floats(&random, 1, made.values, count * width);
    made.stored_keys = stored(type, made.keys, count * width, 2);
    made.stored_values = stored(type, made.values, count * width, 3);
    return made;
}

typedef void attention(const tk_kernels *kernels, const tokens *tokens, const float *queries, long m, const long *firsts,
                       const long *counts, float *out);

static void attend(const tk_kernels *kernels, const tokens *t, const float *queries, long m, const long *firsts,
                   const long *counts, float *out) {
    tk_attend(kernels, queries, m, t->type, t->stored_keys, t->stored_values, firsts, counts, t->width, scale, NULL,
              floats(4, tk_attention_floats(m, t->count)), out);
}

// By the kernels for prompts; tokens are packed in two goes, over NaN.
static void attend_packed_with(const tk_kernels *kernels, const tokens *t, const float *queries, long m, const long *firsts,
                               const long *counts, const tk_score_terms *terms, float *out) {
    const long half = t->count / 2 / 32 * 32, key_bytes = (t->count + 31) / 32 * 32 * ((t->width + 31) / 32) * 64 * 2;
    const long value_bytes = (t->count + 31) / 32 * 32 * ((t->width + 15) / 16) * 16 * 2;
    uint16_t *keys = memory(5, key_bytes, 0), *values = memory(6, value_bytes, 0);
    memset(keys, 0xFF, (size_t)key_bytes);
    memset(values, 0xFF, (size_t)value_bytes);
    kernels->pack_tokens(t->type, t->stored_keys, t->stored_values, 0, half, t->width, keys, values);
    kernels->pack_tokens(t->type, t->stored_keys, t->stored_values, half, t->count, t->width, keys, values);
    kernels->attend_packed(queries, m, keys, values, firsts, counts, t->width, scale, terms,
                           floats(4, kernels->attend_packed_floats(t->width)), out);
}
static void attend_packed(const tk_kernels *kernels, const tokens *t, const float *queries, long m, const long *firsts,
                          const long *counts, float *out) {
    attend_packed_with(kernels, t, queries, m, firsts, counts, NULL, out);
}

// One row by the formula.
static void exact(const tokens *t, const float *query, long first, long end, double *out) {
    double powers[MOST_TOKENS], largest = -HUGE_VAL, sum = 0;
    for (long j = first; j < end; j++) {
        powers[j] = 0;
        for (long c = 0; c < t->width; c++) { powers[j] += (double)query[c] * (double)t->keys[j * t->width + c]; }
        powers[j] *= (double)scale;
        largest = fmax(largest, powers[j]);
    }
    for (long j = first; j < end; j++) { sum += powers[j] = exp(powers[j] - largest); }
    for (long c = 0; c < t->width; c++) { out[c] = 0; }
    for (long j = first; j < end; j++) {
        for (long c = 0; c < t->width; c++) { out[c] += powers[j] / sum * (double)t->values[j * t->width + c]; }
    }
}

static void in_company(const tk_kernels *kernels, const tokens *t, long m, const char *name, double bound, attention *attend) {
    const long width = t->width, last = t->count;
    generator random = {(uint64_t)m};
    float *queries = floats(7, m * width), *together = floats(8, m * width), *alone = floats(9, width);
    fill_floats(&random, 1, queries, m * width);
    long firsts[MOST_QUERIES], counts[MOST_QUERIES];
    for (long i = 0; i < m; i++) {
        firsts[i] = (const long[]){0, last < 4 ? last - 1 : 3, last - 1, 0, last / 2}[i % 5];
        counts[i] = (const long[]){1, last, last, last < 7 ? last : 7, last}[i % 5];
    }
    attend(kernels, t, queries, m, firsts, counts, together);
    for (long i = 0; i < m; i++) {
        double expected[WIDEST];
        exact(t, queries + i * width, firsts[i], counts[i], expected);
        for (long c = 0; c < width; c++) {
            EXPECT(is_close(together[i * width + c], expected[c], bound),
                   "%s: %s, type %d, width %ld, %ld tokens: [%ld of %ld, %ld] is %g, not %g ± %g", kernels->name, name,
                   t->type, width, last, i, m, c, (double)together[i * width + c], expected[c], bound);
        }
        attend(kernels, t, queries + i * width, 1, firsts + i, counts + i, alone);
        EXPECT(first_difference(alone, together + i * width, width) < 0,
               "%s: %s, type %d, width %ld, %ld tokens: row %ld of %ld alone differs", kernels->name, name, t->type, width,
               last, i, m);
    }
}

// Caps, biases and sinks in the kernels for prompts, against the kernel that decodes. Biases end where what a row sees does.
static void packed_terms(const tk_kernels *kernels, long count, long width, long m, float cap, bool has_biases, bool has_sinks) {
    tokens t = make_tokens(count, width, TK_F16, (uint64_t)(width + count));
    generator random = {(uint64_t)m};
    float *queries = floats(7, m * width), *together = floats(8, m * width), *expected = floats(9, m * width);
    float *biases = floats(10, m * count);
    fill_floats(&random, 1, queries, m * width);
    fill_floats(&random, 3, biases, m * count);
    const float *rows[MOST_QUERIES];
    float sinks[MOST_QUERIES];
    long firsts[MOST_QUERIES], counts[MOST_QUERIES];
    for (long i = 0; i < m; i++) {
        rows[i] = biases + i * count;
        sinks[i] = (const float[]){-30, 0.5f, 4, 60}[i % 4];
        firsts[i] = (const long[]){0, count < 4 ? count - 1 : 3, count / 2}[i % 3];
        counts[i] = i % 3 < 2 ? count : count / 2 + 1;
    }
    const tk_score_terms terms = {cap, has_biases ? rows : NULL, has_sinks ? sinks : NULL};
    tk_attend(kernels, queries, m, t.type, t.stored_keys, t.stored_values, firsts, counts, width, scale, &terms,
              floats(4, tk_attention_floats(m, count)), expected);
    attend_packed_with(kernels, &t, queries, m, firsts, counts, &terms, together);
    const double bound = (4 * 0x1p-16 + 2 * gamma_of(width)) * (double)scale * (double)width + 2.2 * 0x1p-9;
    for (long i = 0; i < m * width; i++) {
        EXPECT(is_close(together[i], (double)expected[i], bound), "%s: packed terms, width %ld, %ld tokens: [%ld] is %g, not %g",
               kernels->name, width, count, i, (double)together[i], (double)expected[i]);
    }
}

// One key that outweighs all others, late or early: a softmax that goes along comes to the same.
static void one_large_score(const tk_kernels *kernels, long place) {
    enum { WIDTH = 64 };
    tokens t = make_tokens(MOST_TOKENS, WIDTH, TK_F32, 5);
    float *query = floats(7, WIDTH), *out = floats(8, WIDTH);
    double expected[WIDTH];
    for (long c = 0; c < WIDTH; c++) { query[c] = t.keys[place * WIDTH + c] * 40; }
    attend_packed(kernels, &t, query, 1, (const long[]){0}, (const long[]){MOST_TOKENS}, out);
    exact(&t, query, 0, MOST_TOKENS, expected);
    for (long c = 0; c < WIDTH; c++) {
        EXPECT(is_close(out[c], expected[c], 2.5 * 0x1p-9), "%s: packed attention, large score at %ld: %ld is %g, not %g",
               kernels->name, place, c, (double)out[c], expected[c]);
    }
}

// What no number is comes out as no number, in its row alone.
static void not_numbers(const tk_kernels *kernels, const char *name, float bad, attention *attend) {
    enum { WIDTH = 32 };
    tokens t = make_tokens(50, WIDTH, TK_F32, 6);
    float *queries = floats(7, 3 * WIDTH), *out = floats(8, 3 * WIDTH);
    for (long i = 0; i < 3 * WIDTH; i++) { queries[i] = i == WIDTH + 7 ? bad : 0.5f; }
    attend(kernels, &t, queries, 3, (const long[]){0, 0, 0}, (const long[]){50, 50, 50}, out);
    for (long i = 0; i < 3 * WIDTH; i++) {
        EXPECT(i / WIDTH == 1 ? isnan(out[i]) : isfinite(out[i]), "%s: %s, %g among queries: [%ld, %ld] is %g", kernels->name,
               name, (double)bad, i / WIDTH, i % WIDTH, (double)out[i]);
    }
}

void test_attention(const tk_kernels *kernels) {
    static const long widths[] = {1, 5, 16, 32, 64, 80, 96, 128, WIDEST};
    static const struct { long count; tk_type type; } caches[] = {{40, TK_F32}, {40, TK_F16}, {64, TK_F16}, {65, TK_F16},
                                                                  {200, TK_F16}};
    static const struct { long count; tk_type type; } prompts[] = {{1, TK_F32},   {31, TK_F16},  {40, TK_F32},
                                                                   {128, TK_F16}, {129, TK_F16}, {MOST_TOKENS, TK_F16}};
    for (int w = 0; w < 9; w++) {
        const long width = widths[w];
        // Scores are off by γ_width · ‖q‖‖k‖, which the exponential makes relative; then a sum of products of at most 1.
        const double scores = (double)scale * (double)width;
        for (int i = 0; i < 5; i++) {
            static const long rows[] = {1, 2, 3, 4, 5, 6, 7, 8, 12};
            tokens t = make_tokens(caches[i].count, width, caches[i].type, (uint64_t)(width + caches[i].count));
            double bound = 2 * gamma_of(width + 2) * scores + gamma_of(t.count + 16);
            // Emulated, the longest take longest; they come in one company.
            for (int r = t.count > 100 ? 6 : 0; r < 9; r++) { in_company(kernels, &t, rows[r], "attention", bound, attend); }
        }
        // Scores keep 2⁻¹⁶ of ‖q‖‖k‖, as both low parts' product is left out and the low parts are rounded. Probabilities
        // and values are off by 2⁻⁹ each.
        for (int i = 0; i < 6 && kernels->attend_packed; i++) {
            static const long rows[] = {1, 2, 15, 16, 17, 31, MOST_QUERIES};
            tokens t = make_tokens(prompts[i].count, width, prompts[i].type, (uint64_t)(width + prompts[i].count));
            double bound = (4 * 0x1p-16 + 2 * gamma_of(width)) * scores + 2.1 * 0x1p-9;
            for (int r = 0; r < 7; r++) { in_company(kernels, &t, rows[r], "packed attention", bound, attend_packed); }
        }
    }
    static const long places[] = {0, 127, 128, 290};
    static const float bad[] = {NAN, INFINITY};
    for (int i = 0; i < 4 && kernels->attend_packed; i++) { one_large_score(kernels, places[i]); }
    for (int i = 0; i < 4 && kernels->attend_packed; i++) {
        const float cap = i == 0 || i == 3 ? 0.7f : 0;
        packed_terms(kernels, 1, 16, 3, cap, i == 1 || i == 3, i >= 2);
        packed_terms(kernels, 65, 80, MOST_QUERIES, cap, i == 1 || i == 3, i >= 2);
        packed_terms(kernels, MOST_TOKENS, 64, 17, cap, i == 1 || i == 3, i >= 2);
    }
    for (int i = 0; i < 2; i++) {
        not_numbers(kernels, "attention", bad[i], attend);
        if (kernels->attend_packed) { not_numbers(kernels, "packed attention", bad[i], attend_packed); }
    }
}
