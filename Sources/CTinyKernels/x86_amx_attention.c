// Attention over a prompt with AMX: thirty-two rows of queries by blocks of keys, with a softmax that goes along, so that
// scores never leave the first-level cache (Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022,
// arXiv:2205.14135). Queries and keys are split into two numbers of bf16 each, so that scores are nearly as good as in
// single precision; probabilities and values are rounded.
#if defined(__x86_64__)
#pragma clang attribute push(                                                                                          \
    __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512bf16,avx512vnni,fma"))), apply_to = function)
#include "x86_amx.h"

// Keys of a step of the softmax; they begin at multiples of this, whoever asks.
enum { STEP = 128 };

static long padded(long n, long to) { return (n + to - 1) / to * to; }

// The part of a number that bf16 holds, and in the second place what that leaves.
static inline void split(__m512 first, __m512 second, __m512i *high, __m512i *low) {
    *high = rounded(first, second);
    __m512i first_bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(*high)), 16);
    __m512i second_bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(*high, 1)), 16);
    *low = rounded(_mm512_sub_ps(first, _mm512_castsi512_ps(first_bits)),
                   _mm512_sub_ps(second, _mm512_castsi512_ps(second_bits)));
}

// Sixteen numbers of a row of `width`, from the i-th on; zeros behind its end.
static inline __m512 load_row(tk_type type, const void *row, long i, long width) {
    __mmask16 mask = first_lanes(width - i < 0 ? 0 : width - i);
    if (type == TK_F32) { return _mm512_maskz_loadu_ps(mask, (const float *)row + i); }
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, (const uint16_t *)row + i));
}

// Keys as right factors: for sixteen tokens all inputs' high parts, then all low parts, a tile [pairs of inputs][tokens] for
// each 32 inputs. Values likewise: for 32 tokens a tile [pairs of tokens][inputs] for each sixteen inputs.
void tk_amx_pack_tokens(tk_type type, const void *keys, const void *values, long first, long end, long width,
                        uint16_t *packed_keys, uint16_t *packed_values) {
    const long bytes = width * (type == TK_F32 ? 4 : 2), tiles = padded(width, 32) / 32, columns = padded(width, 16);
    for (long j = first; j < end; j += 16) {
        for (long b = 0; b < tiles; b++) {
            __m512i high[16], low[16];
            for (long r = 0; r < 16; r++) {
                const char *row = (const char *)keys + (j + r) * bytes;
                long seen = j + r < end ? width : 0;
                split(load_row(type, row, 32 * b, seen), load_row(type, row, 32 * b + 16, seen), high + r, low + r);
            }
            transpose_words(high);
            transpose_words(low);
            uint16_t *to = packed_keys + (j / 16 * 2 * tiles + b) * TILE_NUMBERS;
            for (long r = 0; r < 16; r++) {
                _mm512_storeu_si512(to + 32 * r, high[r]);
                _mm512_storeu_si512(to + tiles * TILE_NUMBERS + 32 * r, low[r]);
            }
        }
    }
    for (long j = first; j < padded(end, 32); j += 2) {
        const char *row = (const char *)values + j * bytes;
        for (long c = 0; c < columns; c += 16) {
            __m512 even = load_row(type, row, c, j < end ? width : 0);
            __m512 odd = load_row(type, row + bytes, c, j + 1 < end ? width : 0);
            uint16_t *tile = packed_values + (j / 32 * (columns / 16) + c / 16) * TILE_NUMBERS;
            _mm512_storeu_si512(tile + j % 32 / 2 * 32, pairs_of(even, odd));
        }
    }
}

// As `exponential` in elementwise.h.
static inline __m512 exponential(__m512 x) {
    const __m512 lowest = _mm512_set1_ps(-87.0f);
    __mmask16 vanishes = _mm512_cmp_ps_mask(x, lowest, _CMP_LT_OQ);
    __m512 n = _mm512_roundscale_ps(_mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), 8);
    __m512 r = _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x);
    r = _mm512_fmadd_ps(n, _mm512_set1_ps(2.12194440e-4f), r);
    __m512 p = _mm512_set1_ps(1.9875691500e-4f);
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.3981999507e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(8.3334519073e-3f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(4.1665795894e-2f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(1.6666665459e-1f));
    p = _mm512_fmadd_ps(p, r, _mm512_set1_ps(5.0000001201e-1f));
    p = _mm512_add_ps(_mm512_fmadd_ps(_mm512_mul_ps(p, r), r, r), _mm512_set1_ps(1));
    return _mm512_mask_mov_ps(_mm512_scalef_ps(p, n), vanishes, _mm512_setzero_ps());
}

// What a thread needs besides: pointers into its scratch.
typedef struct {
    uint16_t *queries;        // [2 tiles of rows][high, low][tiles of inputs]
    uint16_t *probabilities;  // [2 tiles of rows][STEP / 32]
    float *scores;            // [32, STEP]
    float *sums;              // [32, 16]: e^(score − largest), a lane each
    float *largest;           // [32]
    float *out;               // [32, columns]
    long tiles, columns;
} workspace;

long tk_amx_attention_floats(long width) {
    return 32 * padded(width, 32) + 16 * STEP + 32 * STEP + 32 * 16 + 32 + 32 * padded(width, 16);
}

static workspace workspace_in(float *scratch, long width) {
    workspace w = {.tiles = padded(width, 32) / 32, .columns = padded(width, 16)};
    w.queries = (uint16_t *)scratch;
    w.probabilities = (uint16_t *)(scratch += 32 * 32 * w.tiles);
    w.scores = scratch += 16 * STEP;
    w.sums = scratch += 32 * STEP;
    w.largest = scratch += 32 * 16;
    w.out = scratch + 32;
    return w;
}

static void start(const workspace *w, const float *queries, long m, long width, float scale) {
    const __m512 factor = _mm512_set1_ps(scale);
    for (long r = 0; r < 32; r++) {
        for (long b = 0; b < w->tiles; b++) {
            const float *row = queries + (r < m ? r : 0) * width;
            __m512 first = _mm512_mul_ps(load_row(TK_F32, row, 32 * b, width), factor);
            __m512 second = _mm512_mul_ps(load_row(TK_F32, row, 32 * b + 16, width), factor);
            uint16_t *to = w->queries + (r / 16 * 2 * w->tiles + b) * TILE_NUMBERS + r % 16 * 32;
            __m512i high, low;
            split(first, second, &high, &low);
            _mm512_storeu_si512(to, high);
            _mm512_storeu_si512(to + w->tiles * TILE_NUMBERS, low);
        }
        // A number that scores are above, and finite, so that what sees no key of a step stays as it is.
        w->largest[r] = -1e30f;
        _mm512_storeu_ps(w->sums + 16 * r, _mm512_setzero_ps());
        for (long c = 0; c < w->columns; c += 16) { _mm512_storeu_ps(w->out + r * w->columns + c, _mm512_setzero_ps()); }
    }
}

// scores = queries · keysᵀ for `count` keys, a multiple of 32: high · high + low · high + high · low.
static void score(const workspace *w, const uint16_t *keys, long count) {
    const long part = w->tiles * TILE_NUMBERS;
    for (long j = 0; j < count; j += 32, keys += 4 * part) {
        clear_sums();
        add_tiles(w->queries, 2 * part, TILE_NUMBERS, keys, 2 * part, TILE_NUMBERS, w->tiles, 2, 2);
        add_tiles(w->queries + part, 2 * part, TILE_NUMBERS, keys, 2 * part, TILE_NUMBERS, w->tiles, 2, 2);
        add_tiles(w->queries, 2 * part, TILE_NUMBERS, keys + part, 2 * part, TILE_NUMBERS, w->tiles, 2, 2);
        store_sums(w->scores + j, STEP, 2, 2);
    }
}

// Scores of keys begin…begin + count − 1 to probabilities up to a factor; what was summed up before is brought to the new factor.
static void weigh_scores(const workspace *w, long row, long begin, long count, long first, long end) {
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    float *scores = w->scores + row * STEP;
    if (begin < first || begin + count > end) {
        const __m512i low = _mm512_set1_epi32((int)(first - begin < 0 ? 0 : first - begin < STEP ? first - begin : STEP));
        const __m512i high = _mm512_set1_epi32((int)(end - begin < 0 ? 0 : end - begin < STEP ? end - begin : STEP));
        for (long j = 0; j < count; j += 16) {
            __m512i index = _mm512_add_epi32(lane, _mm512_set1_epi32((int)j));
            __mmask16 seen = _mm512_cmpge_epi32_mask(index, low) & _mm512_cmplt_epi32_mask(index, high);
            _mm512_storeu_ps(scores + j, _mm512_mask_loadu_ps(_mm512_set1_ps(-__builtin_inff()), seen, scores + j));
        }
    }
    __m512 largest = _mm512_set1_ps(w->largest[row]);
    for (long j = 0; j < count; j += 16) { largest = _mm512_max_ps(largest, _mm512_loadu_ps(scores + j)); }
    float new_largest = _mm512_reduce_max_ps(largest);
    largest = _mm512_set1_ps(new_largest);
    __m512 sum = _mm512_loadu_ps(w->sums + 16 * row);
    if (new_largest != w->largest[row]) {
        __m512 factor = exponential(_mm512_sub_ps(_mm512_set1_ps(w->largest[row]), largest));
        sum = _mm512_mul_ps(sum, factor);
        float *out = w->out + row * w->columns;
        for (long c = 0; c < w->columns; c += 16) { _mm512_storeu_ps(out + c, _mm512_mul_ps(_mm512_loadu_ps(out + c), factor)); }
        w->largest[row] = new_largest;
    }
    uint16_t *to = w->probabilities + (row / 16 * (STEP / 32)) * TILE_NUMBERS + row % 16 * 32;
    for (long j = 0; j < count; j += 32, to += TILE_NUMBERS) {
        __m512 a = exponential(_mm512_sub_ps(_mm512_loadu_ps(scores + j), largest));
        __m512 b = exponential(_mm512_sub_ps(_mm512_loadu_ps(scores + j + 16), largest));
        sum = _mm512_add_ps(sum, _mm512_add_ps(a, b));
        _mm512_storeu_si512(to, rounded(a, b));
    }
    _mm512_storeu_ps(w->sums + 16 * row, sum);
}

// out += probabilities · values
static void add_values(const workspace *w, const uint16_t *values, long count) {
    const long token_tiles = w->columns / 16 * TILE_NUMBERS;
    for (long c = 0; c < w->columns; c += 32, values += 2 * TILE_NUMBERS) {
        float *out = w->out + c;
        if (w->columns - c >= 32) {
            load_sums(out, w->columns, 2, 2);
            add_tiles(w->probabilities, STEP / 32 * TILE_NUMBERS, TILE_NUMBERS, values, TILE_NUMBERS, token_tiles, count / 32, 2, 2);
            store_sums(out, w->columns, 2, 2);
        } else {
            load_sums(out, w->columns, 2, 1);
            add_tiles(w->probabilities, STEP / 32 * TILE_NUMBERS, TILE_NUMBERS, values, TILE_NUMBERS, token_tiles, count / 32, 2, 1);
            store_sums(out, w->columns, 2, 1);
        }
    }
}

void tk_amx_attend(const float *queries, long m, const uint16_t *keys, const uint16_t *values, const long *firsts,
                   const long *counts, long width, float scale, float *scratch, float *out) {
    const workspace w = workspace_in(scratch, width);
    long first = firsts[0], end = counts[0];
    for (long i = 1; i < m; i++) {
        first = firsts[i] < first ? firsts[i] : first;
        end = counts[i] > end ? counts[i] : end;
    }
    configure_tiles();
    start(&w, queries, m, width, scale);
    for (long j = first / STEP * STEP; j < end; j += STEP) {
        long count = end - j < STEP ? padded(end - j, 32) : STEP;
        score(&w, keys + j / 16 * 2 * w.tiles * TILE_NUMBERS, count);
        for (long r = 0; r < m; r++) { weigh_scores(&w, r, j, count, firsts[r], counts[r]); }
        add_values(&w, values + j / 32 * (w.columns / 16) * TILE_NUMBERS, count);
    }
    _tile_release();
    for (long r = 0; r < m; r++) {
        __m512 factor = _mm512_set1_ps(1 / _mm512_reduce_add_ps(_mm512_loadu_ps(w.sums + 16 * r)));
        for (long c = 0; c < width; c += 16) {
            __m512 values = _mm512_loadu_ps(w.out + r * w.columns + c);
            _mm512_mask_storeu_ps(out + r * width + c, first_lanes(width - c), _mm512_mul_ps(values, factor));
        }
    }
}
#pragma clang attribute pop
#endif
