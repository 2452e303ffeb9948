// Attention over a prompt by vectors: rows of queries by steps of keys, with a softmax that goes along, so that scores never
// leave the nearest caches (Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135). Keys are
// turned round once, so that the products of one query with neighbouring tokens are neighbours in a vector and nothing is to
// be added up across it. All arithmetic is on floats.
//
// For files that include elementwise.h and rows.h and have `narrow` before.
#ifndef TINY_PROMPT_ATTENTION_H
#define TINY_PROMPT_ATTENTION_H

#include "rows.h"

enum {
    // Keys between which sums are brought to a new reference. Steps begin at multiples of it, in any company.
    STEP = 64,
    // Rows of queries by two vectors of tokens, or of columns, are what sums take of the registers.
    QUERY_ROWS = 2 * TK_SIDE,
    PAIR = 2 * TK_LANES,
};

// A row's probabilities are e^(score − reference), and the reference is not its largest score but one that was the largest
// when scores last outgrew it by more than this: what was summed up is seldom brought to a new one.
static const float most_above = 8;

// Pointers into a thread's scratch. Rows are padded to QUERY_ROWS, and what is in the padding is of no concern.
typedef struct {
    float *queries;     // [rows / QUERY_ROWS, width, QUERY_ROWS], times the scale
    float *scores;      // [rows, STEP], then probabilities
    float *sums;        // [rows, TK_LANES]: of probabilities, a lane each
    float *references;  // [rows]
    float *out;         // [rows, columns]
    long rows, width, columns;
    const long *firsts, *counts;
    const tk_score_terms *terms;
} prompt_rows;

static long padded_columns(long width) { return (width + 15) / 16 * 16; }

static long attend_packed_floats(long width) {
    return TK_TILE_QUERIES * (width + STEP + TK_LANES + 1 + padded_columns(width));
}

// x[i][j] becomes x[j][i]: blocks of one, two, four… change places.
INLINE void transpose(tk_vector *x) {
#pragma clang loop unroll(full)
    for (int size = 1; size < TK_LANES; size *= 2) {
#pragma clang loop unroll(full)
        for (int i = 0; i < TK_LANES; i++) {
            if (i & size) { continue; }
            const tk_vector a = x[i], b = x[i + size];
#pragma clang loop unroll(full)
            for (int lane = 0; lane < TK_LANES; lane++) {
                x[i][lane] = lane & size ? b[lane ^ size] : a[lane];
                x[i + size][lane] = lane & size ? b[lane] : a[lane ^ size];
            }
        }
    }
}

// Keys of `type` to floats, [tokens / TK_LANES, width, TK_LANES].
INLINE void pack_keys(tk_type type, const uint8_t *keys, long first, long end, long width, float *packed) {
    const long size = tk_float_bytes(type);
    for (long j = first; j < end; j += TK_LANES) {
        for (long i = 0; i < width; i += TK_LANES) {
            const long count = width - i < TK_LANES ? width - i : TK_LANES;
            tk_vector x[TK_LANES];
            for (long t = 0; t < TK_LANES; t++) {
                x[t] = j + t < end ? load_vector(type, keys + ((j + t) * width + i) * size, count) : (tk_vector){0};
            }
            transpose(x);
            memcpy(packed + j * width + i * TK_LANES, x, (size_t)count * sizeof *x);
        }
    }
}

// Values as halves, rows padded with zeros.
static void pack_tokens(tk_type type, const void *keys, const void *values, long first, long end, long width,
                        uint16_t *packed_keys, uint16_t *packed_values) {
    const long columns = padded_columns(width);
    if (type == TK_F16) {
        pack_keys(TK_F16, keys, first, end, width, (float *)packed_keys);
    } else {
        pack_keys(TK_F32, keys, first, end, width, (float *)packed_keys);
    }
    for (long j = first; j < end; j++) {
        uint16_t *row = packed_values + j * columns;
        if (type == TK_F16) {
            memcpy(row, (const uint16_t *)values + j * width, (size_t)width * sizeof *row);
        } else {
            narrow((const float *)values + j * width, width, row);
        }
        memset(row + width, 0, (size_t)(columns - width) * sizeof *row);
    }
}

// QUERY_ROWS rows by PAIR tokens.
INLINE void score(const float *queries, const float *keys, long width, float *scores) {
    tk_vector sums[QUERY_ROWS][2] = {0};
    for (long i = 0; i < width; i++, queries += QUERY_ROWS, keys += TK_LANES) {
        const tk_vector first = load_vector(TK_F32, (const uint8_t *)keys, TK_LANES);
        const tk_vector second = load_vector(TK_F32, (const uint8_t *)(keys + width * TK_LANES), TK_LANES);
        for (int r = 0; r < QUERY_ROWS; r++) {
            sums[r][0] += first * queries[r];
            sums[r][1] += second * queries[r];
        }
    }
    for (int r = 0; r < QUERY_ROWS; r++) { memcpy(scores + r * STEP, sums[r], sizeof sums[r]); }
}

// out += probabilities · values for QUERY_ROWS rows and some vectors of columns.
INLINE void add_values(const float *probabilities, const uint16_t *values, long columns, long n, float *out, int vectors) {
    tk_vector sums[QUERY_ROWS][2];
    for (int r = 0; r < QUERY_ROWS; r++) { memcpy(sums[r], out + r * columns, (size_t)vectors * sizeof(tk_vector)); }
    for (long j = 0; j < n; j++, values += columns) {
        tk_vector v[2];
        for (int s = 0; s < vectors; s++) { v[s] = load_vector(TK_F16, (const uint8_t *)(values + s * TK_LANES), TK_LANES); }
        for (int r = 0; r < QUERY_ROWS; r++) {
            for (int s = 0; s < vectors; s++) { sums[r][s] += v[s] * probabilities[r * STEP + j]; }
        }
    }
    for (int r = 0; r < QUERY_ROWS; r++) { memcpy(out + r * columns, sums[r], (size_t)vectors * sizeof(tk_vector)); }
}

// Brings what row r has summed up to a reference that is as large as its largest score.
static __attribute__((noinline)) void refer(const prompt_rows *w, long r) {
    const float reference = largest_of(w->scores + r * STEP, STEP), factor = exponential(w->references[r] - reference);
    w->references[r] = reference;
    scale(w->sums + r * TK_LANES, factor, TK_LANES);
    scale(w->out + r * w->columns, factor, w->columns);
}

static long within(long n, long limit) { return n < 0 ? 0 : n > limit ? limit : n; }

// Does to the scores of row r what is done besides, and hides what it does not see.
static __attribute__((noinline)) void finish_scores(const prompt_rows *w, long r, long begin) {
    float *scores = w->scores + r * STEP;
    const long first = within(w->firsts[r] - begin, STEP), end = within(w->counts[r] - begin, STEP);
    for (long j = 0; j < first; j++) { scores[j] = -INFINITY; }
    for (long j = end; j < STEP; j++) { scores[j] = -INFINITY; }
    if (first >= end || !w->terms) { return; }
    if (w->terms->cap > 0) { cap(scores + first, w->terms->cap, end - first); }
    if (w->terms->biases) { add(scores + first, w->terms->biases[r] + begin + first, end - first); }
}

// Scores of row r to probabilities.
INLINE void weigh_scores(const prompt_rows *w, long r, long begin) {
    float *scores = w->scores + r * STEP;
    if (w->terms || begin < w->firsts[r] || begin + STEP > w->counts[r]) { finish_scores(w, r, begin); }
    const float limit = w->references[r] + most_above;
    int above = 0;
    for (long j = 0; j < STEP; j++) { above |= scores[j] > limit; }
    if (above) { refer(w, r); }
    const float reference = w->references[r];
    for (long j = 0; j < STEP; j++) { scores[j] = exponential(scores[j] - reference); }
    uint8_t *sums = (uint8_t *)(w->sums + r * TK_LANES);
    tk_vector sum = load_vector(TK_F32, sums, TK_LANES);
    for (long j = 0; j < STEP; j += TK_LANES) { sum += load_vector(TK_F32, (const uint8_t *)(scores + j), TK_LANES); }
    memcpy(sums, &sum, sizeof sum);
}

static void start(const prompt_rows *w, const float *queries, float scale) {
    for (long r = 0; r < w->rows; r++) {
        float *to = w->queries + r / QUERY_ROWS * QUERY_ROWS * w->width + r % QUERY_ROWS;
        for (long i = 0; i < w->width; i++) { to[i * QUERY_ROWS] = queries[r * w->width + i] * scale; }
        const float lowest = -3.4028235e38f, sink = w->terms && w->terms->sinks ? w->terms->sinks[r] : lowest;
        w->references[r] = sink < lowest ? lowest : sink;
        memset(w->sums + r * TK_LANES, 0, TK_LANES * sizeof(float));
        w->sums[r * TK_LANES] = w->terms && w->terms->sinks ? 1 : 0;
        memset(w->out + r * w->columns, 0, (size_t)w->columns * sizeof(float));
    }
}

static void finish(const prompt_rows *w, float *out) {
    for (long r = 0; r < w->rows; r++, out += w->width) {
        float *sums = w->sums + r * TK_LANES;
        for (int half = TK_LANES / 2; half > 0; half /= 2) { add(sums, sums + half, half); }
        const float inverse = 1 / sums[0];
        for (long c = 0; c < w->width; c++) { out[c] = w->out[r * w->columns + c] * inverse; }
    }
}

static void attend_packed(const float *queries, long m, const uint16_t *keys, const uint16_t *values, const long *firsts,
                          const long *counts, long width, float scale, const tk_score_terms *terms, float *scratch,
                          float *out) {
    prompt_rows w = {.rows = m, .width = width, .columns = padded_columns(width), .firsts = firsts, .counts = counts};
    w.terms = terms && (terms->cap > 0 || terms->biases || terms->sinks) ? terms : NULL;
    w.queries = scratch;
    w.scores = scratch += TK_TILE_QUERIES * width;
    w.sums = scratch += TK_TILE_QUERIES * STEP;
    w.references = scratch += TK_TILE_QUERIES * TK_LANES;
    w.out = scratch + TK_TILE_QUERIES;
    start(&w, queries, scale);
    long first = firsts[0], end = counts[0];
    for (long i = 1; i < m; i++) {
        first = firsts[i] < first ? firsts[i] : first;
        end = counts[i] > end ? counts[i] : end;
    }
    for (long begin = first / STEP * STEP; begin < end; begin += STEP) {
        const long n = end - begin < STEP ? end - begin : STEP;
        for (long j = 0; j < n; j += PAIR) {
            for (long r = 0; r < m; r += QUERY_ROWS) {
                score(w.queries + r * width, (const float *)keys + (begin + j) * width, width, w.scores + r * STEP + j);
            }
        }
        for (long r = 0; r < m; r++) { weigh_scores(&w, r, begin); }
        for (long c = 0; c < w.columns; c += PAIR) {
            const uint16_t *from = values + begin * w.columns + c;
            for (long r = 0; r < m; r += QUERY_ROWS) {
                float *to = w.out + r * w.columns + c;
                if (c + PAIR <= w.columns) {
                    add_values(w.scores + r * STEP, from, w.columns, n, to, 2);
                } else {
                    add_values(w.scores + r * STEP, from, w.columns, n, to, 1);
                }
            }
        }
    }
    finish(&w, out);
}

#define TK_ATTEND_PACKED                                                                                               \
    .pack_tokens = pack_tokens, .attend_packed = attend_packed, .attend_packed_floats = attend_packed_floats

#endif
