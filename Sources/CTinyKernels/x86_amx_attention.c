// Attention over a prompt with AMX: thirty-two rows of queries by blocks of keys, with a softmax that goes along, so that
// scores never leave the first-level cache (Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022,
// arXiv:2205.14135). Queries and keys are split into two numbers of bf16 each, so that scores are nearly as good as in
// single precision; probabilities and values are rounded.
//
// Where another thread of the core is busy, instructions of tiles that follow one another closely take up to twice their
// time; with eight others between them they do not. So whatever else is to be done stands between them, one row at a time:
// the probabilities of one step while the next one's scores are made. Where nothing is left to do, it is nothing.
#if defined(__x86_64__)
#pragma clang attribute push(                                                                                          \
    __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512bf16,avx512vnni,fma"))), apply_to = function)
#include "x86_amx_softmax.h"

// What is done between instructions of tiles: a row each time, as long as there are any.
typedef struct {
    const workspace *w;
    enum { NOTHING, WEIGH, REFER } task;
    long row;
    long begin;  // of the keys: in the step for WEIGH, in all for REFER
    long count;
} between;

INLINE void do_row(between *it) {
    if (it->task == WEIGH) { weigh_row(it->w, it->row, it->begin); }
    if (it->task == REFER) { refer_row(it->w, it->row, it->begin, it->count); }
    it->row++;
}
INLINE void do_some(between *it) {
    if (it->task != NOTHING && it->row < it->w->rows) {
        do_row(it);
    } else {
        __asm__ volatile(".rept 8; nop; .endr");
    }
}
INLINE void do_rest(between *it) {
    if (it->task == NOTHING) { return; }
    while (it->row < it->w->rows) { do_row(it); }
}

// The tiles' numbers must be constants.
#define LOAD(TILE, FROM, STRIDE) (_tile_loadd(TILE, FROM, STRIDE), do_some(it))
#define STORE(TILE, TO, STRIDE) (_tile_stored(TILE, TO, STRIDE), do_some(it))
#define MULTIPLY(SUM, A, B) (_tile_dpbf16ps(SUM, A, B), do_some(it))
// Both left factors, 4 and 5, by both right ones, 6 and 7.
#define MULTIPLY_ALL (MULTIPLY(0, 4, 6), MULTIPLY(1, 4, 7), MULTIPLY(2, 5, 6), MULTIPLY(3, 5, 7))

// scores = queries · keysᵀ for the keys of a block, where those of block j of the step before were: high · high + low · high +
// high · low. `it` is to be done before they are written.
INLINE void score(const workspace *w, const uint16_t *keys, long j, between *it) {
    const long low = w->tiles * TILE_NUMBERS, next = 2 * low;
    clear_sums();
    for (long b = 0; b < w->tiles; b++) {
        const uint16_t *q = w->queries + b * TILE_NUMBERS, *k = keys + b * TILE_NUMBERS;
        LOAD(6, k, 64), LOAD(4, q + low, 64), LOAD(7, k + next, 64), LOAD(5, q + low + next, 64);
        MULTIPLY_ALL;
        LOAD(4, q, 64), LOAD(5, q + next, 64);
        MULTIPLY_ALL;
        LOAD(6, k + low, 64), LOAD(7, k + low + next, 64);
        MULTIPLY_ALL;
    }
    do_rest(it);
    const size_t stride = STEP * sizeof(float);
    float *to = w->scores + j;
    STORE(0, to, stride), STORE(1, to + 16, stride), STORE(2, to + 16 * STEP, stride), STORE(3, to + 16 * STEP + 16, stride);
}

// out = probabilities · values, for 32 columns of them, added to what is there if `adds`.
INLINE void add_columns(const workspace *w, const uint16_t *values, long count, bool adds, float *out, between *it) {
    const size_t stride = (size_t)w->columns * sizeof(float);
    float *lower = out + 16 * w->columns;
    if (adds) {
        LOAD(0, out, stride), LOAD(1, out + 16, stride), LOAD(2, lower, stride), LOAD(3, lower + 16, stride);
    } else {
        clear_sums();
    }
    const uint16_t *p = w->probabilities;
    for (long j = 0; j < count; j += 32, p += TILE_NUMBERS, values += w->columns / 16 * TILE_NUMBERS) {
        LOAD(4, p, 64), LOAD(6, values, 64), LOAD(7, values + TILE_NUMBERS, 64);
        LOAD(5, p + STEP / 32 * TILE_NUMBERS, 64);
        MULTIPLY_ALL;
    }
    STORE(0, out, stride), STORE(1, out + 16, stride), STORE(2, lower, stride), STORE(3, lower + 16, stride);
}

// The same for the sixteen that are left.
static void add_last_columns(const workspace *w, const uint16_t *values, long count, bool adds, float *out, between *it) {
    const size_t stride = (size_t)w->columns * sizeof(float);
    float *lower = out + 16 * w->columns;
    if (adds) { LOAD(0, out, stride), LOAD(2, lower, stride); } else { clear_sums(); }
    const uint16_t *p = w->probabilities;
    for (long j = 0; j < count; j += 32, p += TILE_NUMBERS, values += w->columns / 16 * TILE_NUMBERS) {
        LOAD(4, p, 64), LOAD(6, values, 64), LOAD(5, p + STEP / 32 * TILE_NUMBERS, 64);
        MULTIPLY(0, 4, 6), MULTIPLY(2, 5, 6);
    }
    STORE(0, out, stride), STORE(2, lower, stride);
}

static void add_values(const workspace *w, const uint16_t *values, long count, bool adds, between *it) {
    long c = 0;
    for (; c + 32 <= w->columns; c += 32, values += 2 * TILE_NUMBERS) { add_columns(w, values, count, adds, w->out + c, it); }
    if (c < w->columns) { add_last_columns(w, values, count, adds, w->out + c, it); }
    do_rest(it);
}

// Brings what was summed up to the references of the next step.
static void follow_references(const workspace *w) {
    for (long r = 0; r < w->rows; r++) {
        if (w->factors[r] == 1) { continue; }
        const __m512 factor = _mm512_set1_ps(w->factors[r]);
        float *out = w->out + r * w->columns;
        for (long c = 0; c < w->columns; c += 16) { _mm512_storeu_ps(out + c, _mm512_mul_ps(_mm512_loadu_ps(out + c), factor)); }
        w->factors[r] = 1;
    }
}

void tk_amx_attend(const float *queries, long m, const uint16_t *keys, const uint16_t *values, const long *firsts,
                   const long *counts, long width, float scale, const tk_score_terms *terms, float *scratch, float *out) {
    workspace w = workspace_in(scratch, width);
    w.rows = m, w.firsts = firsts, w.counts = counts;
    w.terms = terms && (terms->cap > 0 || terms->biases) ? terms : NULL;
    long first = firsts[0], end = counts[0];
    for (long i = 1; i < m; i++) {
        first = firsts[i] < first ? firsts[i] : first;
        end = counts[i] > end ? counts[i] : end;
    }
    first = first / w.step * w.step;
    configure_tiles();
    start(&w, queries, width, scale * log2_e * (w.terms && terms->cap > 0 ? 2 / terms->cap : 1), terms ? terms->sinks : NULL);
    const long key_numbers = padded(width, 32) * 2;
    between nothing = {.w = &w, .task = NOTHING};
    for (long j = first; j < end && j < first + w.step; j += BLOCK) { score(&w, keys + j * key_numbers, j - first, &nothing); }
    long count = min(padded(end - first, BLOCK), w.step);
    for (long r = 0; r < m; r++) {
        refer_row(&w, r, first, count);
        w.factors[r] = 1;  // there is nothing yet
    }
    for (long begin = first; begin < end; begin += w.step) {
        const long next = begin + w.step, next_count = min(padded(end - next, BLOCK), w.step);
        for (long j = 0; j < count; j += BLOCK) {
            between weighing = {.w = &w, .task = WEIGH, .begin = j};
            if (next + j < end) {
                score(&w, keys + (next + j) * key_numbers, j, &weighing);
            } else {
                do_rest(&weighing);
            }
        }
        between referring = {.w = &w, .task = next < end ? REFER : NOTHING, .begin = next, .count = next_count};
        follow_references(&w);
        add_values(&w, values + begin * w.columns, count, begin > first, &referring);
        count = next_count;
    }
    _tile_release();
    for (long r = 0; r < m; r++) {
        __m512 factor = _mm512_set1_ps(1 / _mm512_reduce_add_ps(_mm512_loadu_ps(w.sums + 16 * r)));
        const float *from = w.out + r * w.columns;
        long c = 0;
        for (; c + 16 <= width; c += 16) { _mm512_storeu_ps(out + r * width + c, _mm512_mul_ps(_mm512_loadu_ps(from + c), factor)); }
        if (c < width) {
            _mm512_mask_storeu_ps(out + r * width + c, first_lanes(width - c), _mm512_mul_ps(_mm512_loadu_ps(from + c), factor));
        }
    }
}
#pragma clang attribute pop
#endif
