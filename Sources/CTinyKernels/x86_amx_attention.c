// Attention over a prompt with AMX: thirty-two rows of queries by blocks of keys, with a softmax that goes along, so that
// scores never leave the first-level cache (Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022,
// arXiv:2205.14135). Queries and keys are split into two numbers of bf16 each, so that scores are nearly as good as in
// single precision; probabilities and values are rounded.
//
// Scores are logarithms to the base 2. A row's probabilities are 2^(score − reference), and the reference is not its largest
// score but one that was the largest when scores last outgrew it by more than so many powers of two: what was summed up is
// seldom brought to a new one. When that happens depends on the row's own scores alone.
//
// Where another thread of the core is busy, instructions of tiles that follow one another closely take up to twice their
// time; with eight others between them they do not. So whatever else is to be done stands between them, one row at a time:
// the probabilities of one step while the next one's scores are made. Where nothing is left to do, it is nothing.
#if defined(__x86_64__)
#pragma clang attribute push(                                                                                          \
    __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512bf16,avx512vnni,fma"))), apply_to = function)
#include "x86_amx.h"

enum {
    // Most keys of a step of the softmax.
    STEP = 128,
    // Those whose scores are made at a time.
    BLOCK = 32,
};

// 2^x, off by at most 2.6e-6 of it, a thousandth of what rounding to bf16 leaves: a polynomial for |r| ≤ ½, fitted for the
// smallest relative error. 0 below the normal numbers, which would cost a hundred times as much. NaN passes.
static inline __m512 power_of_two(__m512 x) {
    const __mmask16 counts = _mm512_cmp_ps_mask(x, _mm512_set1_ps(-126), _CMP_NLT_UQ);
    __m512 n = _mm512_roundscale_ps(x, 8);
    __m512 r = _mm512_sub_ps(x, n);
    __m512 p = _mm512_set1_ps(9.570102e-3f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.5917859e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(2.4024744e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(6.9312179e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(9.9999928e-1f));
    return _mm512_maskz_scalef_ps(counts, p, n);
}

static const float log2_e = 1.44269504f;
// Below every score.
static const float lowest = -3.4028235e38f;
// Scores may be so far above their row's reference.
static const float most_above = 8;

// What a thread needs besides: pointers into its scratch.
typedef struct {
    uint16_t *queries;        // [2 tiles of rows][high, low][tiles of inputs]
    uint16_t *probabilities;  // [2 tiles of rows][STEP / 32]
    float *scores;            // [32, STEP]
    float *sums;              // [32, 16]: of probabilities, a lane each
    float *references;        // [32]
    float *factors;           // [32]: what `out` is to be multiplied by; 1 almost always
    float *out;               // [32, columns]
    long tiles, columns, rows;
    // Keys of a step, which begin at multiples of it, whoever asks. In shorter ones more is done between tiles, but sums go to
    // memory and back each time.
    long step;
    const long *firsts, *counts;
    const tk_score_terms *terms;  // NULL where scores are what products give
} workspace;

long tk_amx_attention_floats(long width) {
    return 32 * padded(width, 32) + 16 * STEP + 32 * STEP + 32 * 16 + 32 + 32 + 32 * padded(width, 16);
}

static long min(long a, long b) { return a < b ? a : b; }

static workspace workspace_in(float *scratch, long width) {
    workspace w = {.tiles = padded(width, 32) / 32, .columns = padded(width, 16), .step = width <= 64 ? 64 : 128};
    w.queries = (uint16_t *)scratch;
    w.probabilities = (uint16_t *)(scratch += 32 * 32 * w.tiles);
    w.scores = scratch += 16 * STEP;
    w.sums = scratch += 32 * STEP;
    w.references = scratch += 32 * 16;
    w.factors = scratch += 32;
    w.out = scratch + 32;
    return w;
}

// Rows behind the last one are left as they are; nothing of them is asked for.
static void start(const workspace *w, const float *queries, long width, float scale, const float *sinks) {
    const __m512 factor = _mm512_set1_ps(scale);
    for (long r = 0; r < w->rows; r++, queries += width) {
        uint16_t *to = w->queries + r / 16 * 2 * w->tiles * TILE_NUMBERS + r % 16 * 32;
        for (long i = 0; i < width; i += 32, to += TILE_NUMBERS) {
            const bool is_whole = i + 32 <= width;
            __m512 first = is_whole ? _mm512_loadu_ps(queries + i) : load_row(TK_F32, queries, i, width);
            __m512 second = is_whole ? _mm512_loadu_ps(queries + i + 16) : load_row(TK_F32, queries, i + 16, width);
            __m512i high, low;
            split(_mm512_mul_ps(first, factor), _mm512_mul_ps(second, factor), &high, &low);
            _mm512_storeu_si512(to, high);
            _mm512_storeu_si512(to + w->tiles * TILE_NUMBERS, low);
        }
        const float sink = sinks ? sinks[r] * log2_e : lowest;
        w->references[r] = sink < lowest ? lowest : sink;
        w->factors[r] = 1;
        _mm512_storeu_ps(w->sums + 16 * r, _mm512_maskz_mov_ps(sinks != NULL, _mm512_set1_ps(1)));
    }
}

// cap · tanh(score / cap), where `start` has brought scores to 2 · score / cap: tanh u = 1 − 2 / (1 + e^2u).
static inline __m512 capped(__m512 x, float cap) {
    __m512 sum = _mm512_add_ps(power_of_two(_mm512_min_ps(_mm512_set1_ps(30), x)), _mm512_set1_ps(1));
    __m512 near = _mm512_rcp14_ps(sum), two = _mm512_set1_ps(2);
    near = _mm512_mul_ps(near, _mm512_fnmadd_ps(sum, near, two));
    return _mm512_mul_ps(_mm512_set1_ps(cap * log2_e), _mm512_fnmadd_ps(two, near, _mm512_set1_ps(1)));
}

// Does to a row's scores of keys begin…begin + count − 1 what is done besides, and hides what it does not see.
static __attribute__((noinline)) void finish_scores(const workspace *w, long row, long begin, long count) {
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    const long first = w->firsts[row] - begin, end = w->counts[row] - begin;
    const __m512i low = _mm512_set1_epi32((int)(first < 0 ? 0 : first < STEP ? first : STEP));
    const __m512i high = _mm512_set1_epi32((int)(end < 0 ? 0 : end < STEP ? end : STEP));
    float *scores = w->scores + row * STEP;
    for (long j = 0; j < count; j += 16) {
        __m512i index = _mm512_add_epi32(lane, _mm512_set1_epi32((int)j));
        __mmask16 seen = _mm512_cmpge_epi32_mask(index, low) & _mm512_cmplt_epi32_mask(index, high);
        __m512 x = _mm512_loadu_ps(scores + j);
        if (w->terms && w->terms->cap > 0) { x = capped(x, w->terms->cap); }
        if (w->terms && w->terms->biases) {
            __m512 bias = _mm512_maskz_loadu_ps(seen, w->terms->biases[row] + begin + j);
            x = _mm512_fmadd_ps(bias, _mm512_set1_ps(log2_e), x);
        }
        _mm512_storeu_ps(scores + j, _mm512_mask_mov_ps(_mm512_set1_ps(-__builtin_inff()), seen, x));
    }
}

// A row's scores are there: finds the reference of this step.
INLINE void refer_row(const workspace *w, long row, long begin, long count) {
    float *scores = w->scores + row * STEP;
    if (w->terms || begin < w->firsts[row] || begin + count > w->counts[row]) { finish_scores(w, row, begin, count); }
    __m512 largest[2] = {_mm512_loadu_ps(scores), _mm512_loadu_ps(scores + 16)};
    for (long j = BLOCK; j < count; j += BLOCK) {
        largest[0] = _mm512_max_ps(largest[0], _mm512_loadu_ps(scores + j));
        largest[1] = _mm512_max_ps(largest[1], _mm512_loadu_ps(scores + j + 16));
    }
    largest[0] = _mm512_max_ps(largest[0], largest[1]);
    const __m512 limit = _mm512_set1_ps(w->references[row] + most_above);
    if (_mm512_cmp_ps_mask(largest[0], limit, _CMP_GT_OQ) == 0) { return; }
    const float reference = _mm512_reduce_max_ps(largest[0]);
    const __m512 factor = power_of_two(_mm512_set1_ps(w->references[row] - reference));
    _mm512_storeu_ps(w->sums + 16 * row, _mm512_mul_ps(_mm512_loadu_ps(w->sums + 16 * row), factor));
    w->references[row] = reference;
    w->factors[row] = _mm512_cvtss_f32(factor);
}

// Probabilities of keys j…j + 31 of a step for one row.
INLINE void weigh_row(const workspace *w, long row, long j) {
    const float *scores = w->scores + row * STEP + j;
    const __m512 reference = _mm512_set1_ps(w->references[row]);
    __m512 a = power_of_two(_mm512_sub_ps(_mm512_loadu_ps(scores), reference));
    __m512 b = power_of_two(_mm512_sub_ps(_mm512_loadu_ps(scores + 16), reference));
    __m512 sum = _mm512_loadu_ps(w->sums + 16 * row);
    _mm512_storeu_ps(w->sums + 16 * row, _mm512_add_ps(sum, _mm512_add_ps(a, b)));
    uint16_t *to = w->probabilities + (row / 16 * (STEP / 32) + j / 32) * TILE_NUMBERS + row % 16 * 32;
    _mm512_storeu_si512(to, rounded(a, b));
}

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
