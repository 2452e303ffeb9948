// The softmax of x86_amx_attention.c: what it keeps of thirty-two rows of queries, and what is done to one row at a time.
//
// Scores are logarithms to the base 2. A row's probabilities are 2^(score − reference), and the reference is not its largest
// score but one that was the largest when scores last outgrew it by more than so many powers of two: what was summed up is
// seldom brought to a new one. When that happens depends on the row's own scores alone.
#ifndef TINY_X86_AMX_SOFTMAX_H
#define TINY_X86_AMX_SOFTMAX_H

#include "x86_amx.h"

enum {
    // Most keys of a step of the softmax.
    STEP = 128,
    // Those whose scores are made at a time.
    BLOCK = 32,
};

// 2^x, off by at most 2.7e-6 of it, a thousandth of what rounding to bf16 leaves: a polynomial for |r| ≤ ½, fitted for the
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

#endif
