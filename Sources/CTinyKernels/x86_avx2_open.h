// Where AVX2 multiplies several rows of activations, weights are opened in the cache, some panels at a time, and used for all
// rows; activations are opened once for those panels.
#ifndef TINY_X86_AVX2_OPEN_H
#define TINY_X86_AVX2_OPEN_H

#include "x86_avx2_panel.h"

enum {
    // Inputs that are multiplied before sums go back to memory: what one head serves.
    OPEN_INPUTS = 256,
    OPEN_GROUPS = OPEN_INPUTS / TK_GROUP,
    // Panels that use activations once these are joined; opened they take 80 KB of the stack and of the second-level cache.
    OPEN_PANELS = 8,
    // Rows of activations whose sums the registers hold.
    ROWS_AT_ONCE = 4,
};

// Some inputs of a panel: neighbouring ones of a row side by side, two in 16 bits each without their bias, or four in bytes with
// it.
typedef struct {
    union {
        int16_t pairs[OPEN_INPUTS / 2][TK_PANEL_ROWS][2];
        uint8_t quads[OPEN_INPUTS / 4][TK_PANEL_ROWS][4];
    };
    float scales[OPEN_GROUPS][TK_PANEL_ROWS], offsets[OPEN_GROUPS][TK_PANEL_ROWS];
} open_panel;

// The same inputs of some rows of activations: whole codes, or halves of them and whether a row has lower ones among 32; of
// each group bias · sum and factor · sum.
typedef struct {
    union {
        int16_t codes[ROWS_AT_ONCE][OPEN_INPUTS];
        struct {
            int8_t high[ROWS_AT_ONCE][OPEN_INPUTS], low[ROWS_AT_ONCE][OPEN_INPUTS];
        };
    };
    bool has_low[OPEN_INPUTS / 32];
    int32_t biases[ROWS_AT_ONCE][OPEN_GROUPS];
    float factors[ROWS_AT_ONCE][OPEN_GROUPS], totals[ROWS_AT_ONCE][OPEN_GROUPS];
} open_rows;

// Two of the four bytes in each lane, from `from` on, as numbers of 16 bits.
INLINE __m256i widened(__m256i quads, int from) {
    const char a = (char)from, b = (char)(from + 1), none = (char)0x80;
    const __m128i upper = _mm_setr_epi8(none, a, none, b, none, a + 4, none, b + 4, none, a + 8, none, b + 8, none, a + 12, none,
                                        b + 12);
    return _mm256_srai_epi16(_mm256_shuffle_epi8(quads, _mm256_broadcastsi128_si256(upper)), 8);
}

// `blocks` times 32 inputs of a panel, which have one head at most.
INLINE void open_weights(const tk_packed *weight, const uint8_t *panel, long block, long blocks, tk_format f, open_panel *to) {
    const __m256i table = panel_table(weight), bias = _mm256_set1_epi16((short)(panel_is_signed(f) ? 0 : f.bias));
    const uint8_t *head = panel + block / 8 * (8 * tk_packed_block_bytes(f) + tk_head_bytes(f));
    const uint8_t *from = head + tk_head_bytes(f) + block % 8 * tk_packed_block_bytes(f);
    for (long b = 0; b < blocks; b++, from += tk_packed_block_bytes(f)) {
        for (int half = 0; half < 2; half++) {
            if (half == 0) { panel_prefetch(from, tk_packed_block_bytes(f)); }
#pragma clang loop unroll(full)  // shifts are constants then
            for (int quad = 0; quad < 8; quad++) {
                __m256i w = panel_codes(from, half, quad, f, table);
                if (tk_is_narrow(f)) {
                    _mm256_storeu_si256((__m256i *)to->quads[8 * b + quad][8 * half], w);
                    continue;
                }
                __m256i *pair = (__m256i *)to->pairs[16 * b + 2 * quad][8 * half];
                _mm256_storeu_si256(pair, _mm256_sub_epi16(widened(w, 0), bias));
                _mm256_storeu_si256(pair + 2, _mm256_sub_epi16(widened(w, 2), bias));
            }
            for (int g = 0; g < 32 / f.group; g++) {
                const long group = b * (32 / f.group) + g;
                _mm256_storeu_ps(to->scales[group] + 8 * half, panel_scale(head, from, half, g, f));
                if (f.has_offsets) { _mm256_storeu_ps(to->offsets[group] + 8 * half, panel_offset(head, from, half, g, f)); }
            }
        }
    }
}

// Of 32 inputs of a row: 128 · high + low.
INLINE void join_codes(const int8_t *high, const int8_t *low, int16_t *codes) {
    const __m128i both = _mm_set1_epi16((short)(128 << 8 | 1));
    for (int c = 0; c < 32; c += 16) {
        __m128i upper = _mm_loadu_si128((const __m128i *)(high + c)), lower = _mm_loadu_si128((const __m128i *)(low + c));
        _mm_storeu_si128((__m128i *)(codes + c), _mm_maddubs_epi16(both, _mm_unpacklo_epi8(lower, upper)));
        _mm_storeu_si128((__m128i *)(codes + c + 8), _mm_maddubs_epi16(both, _mm_unpackhi_epi8(lower, upper)));
    }
}

// Codes of 32 inputs of a row, the b-th of those that are opened, from the `at`-th on.
INLINE void open_block(const tk_quantized *x, long at, int r, long b, tk_format f, open_rows *to) {
    if (!tk_is_narrow(f)) {
        join_codes(x->high + at, x->low + at, to->codes[r] + 32 * b);
        return;
    }
    const __m256i low = _mm256_loadu_si256((const __m256i *)(x->low + at));
    to->has_low[b] = (r > 0 && to->has_low[b]) || !_mm256_testz_si256(low, low);
    memcpy(to->high[r] + 32 * b, x->high + at, 32);
    memcpy(to->low[r] + 32 * b, x->low + at, 32);
}

// The same inputs of rows from the i-th on.
INLINE void open_activations(const tk_quantized *x, long i, int rows, long k, long block, long blocks, tk_format f,
                             open_rows *to) {
    const long groups = 32 * blocks / f.group;
    for (int r = 0; r < rows; r++) {
        const long at = (i + r) * k + 32 * block;
        const float *scales = x->scales + at / 32;
        const int32_t *sums = x->sums + at / TK_GROUP;
        for (long b = 0; b < blocks; b++) { open_block(x, at + 32 * b, r, b, f, to); }
        for (long g = 0; g < groups; g++) {
            const int32_t total = f.group == 32 ? sums[2 * g] + sums[2 * g + 1] : sums[g];
            to->factors[r][g] = scales[g * f.group / 32];
            if (f.bias != 0 && tk_is_narrow(f)) { to->biases[r][g] = f.bias * total; }
            if (f.has_offsets) { to->totals[r][g] = to->factors[r][g] * (float)total; }
        }
    }
}

#endif
