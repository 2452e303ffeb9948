// Where AVX2 multiplies several rows of activations, weights are opened in the cache, some panels at a time, and used for all
// rows; activations are opened once for those panels.
#ifndef TINY_X86_AVX2_OPEN_H
#define TINY_X86_AVX2_OPEN_H

#include "x86_avx2_panel.h"

enum {
    // Inputs that are multiplied before sums go back to memory: what one head serves. Half as many where 16 bits are multiplied.
    OPEN_INPUTS = 256,
    OPEN_GROUPS = OPEN_INPUTS / TK_GROUP,
    // Panels that a row meets at once: registers hold their sums, and the first-level cache their weights.
    PANELS_AT_ONCE = 4,
    // What is opened before it is multiplied: 140 KB of the stack and of the second-level cache.
    OPEN_PANELS = 16,
    OPEN_ROWS = 32,
    // Fewer rows are multiplied without.
    ROWS_TO_OPEN = 4,
};

// Some inputs of a panel, without their bias: neighbouring ones of a row side by side, two in 16 bits each, or four in bytes
// with what their sums begin with. The next panel's do not begin in the same lines of the cache.
typedef struct {
    union {
        int16_t pairs[OPEN_INPUTS / 4][TK_PANEL_ROWS][2];
        int8_t quads[OPEN_INPUTS / 4][TK_PANEL_ROWS][4];
    };
    int16_t starts[OPEN_GROUPS][TK_PANEL_ROWS][2];
    float scales[OPEN_GROUPS][TK_PANEL_ROWS], offsets[OPEN_GROUPS][TK_PANEL_ROWS];
    uint8_t gap[512];
} open_panel;

// The same inputs of a row of activations: whole codes, or 128 more than halves of them, the lower ones where there are any; of
// each group factor and factor · sum.
typedef struct {
    union {
        int16_t codes[OPEN_INPUTS / 2];
        struct {
            uint8_t high[OPEN_INPUTS], low[OPEN_INPUTS];
        };
    };
    bool has_low[OPEN_INPUTS / 32];
    float factors[OPEN_GROUPS], totals[OPEN_GROUPS];
} open_row;

// Two of the four bytes in each lane, from `from` on, as numbers of 16 bits.
INLINE __m256i widened(__m256i quads, int from) {
    const char a = (char)from, b = (char)(from + 1), none = (char)0x80;
    const __m128i upper = _mm_setr_epi8(none, a, none, b, none, a + 4, none, b + 4, none, a + 8, none, b + 8, none, a + 12, none,
                                        b + 12);
    return _mm256_srai_epi16(_mm256_shuffle_epi8(quads, _mm256_broadcastsi128_si256(upper)), 8);
}

// Eight quads of half a panel, and what sums of their products begin with: inputs are 128 too large.
INLINE void open_quads(const uint8_t *from, int half, tk_format f, long b, open_panel *to) {
    __m256i start = _mm256_setzero_si256();
#pragma clang loop unroll(full)  // shifts are constants then
    for (int quad = 0; quad < 8; quad++) {
        const __m256i codes = panel_codes(from, half, quad, f, _mm256_setzero_si256());
        const __m256i w = _mm256_sub_epi8(codes, _mm256_set1_epi8((char)f.bias));
        _mm256_storeu_si256((__m256i *)to->quads[8 * b + quad][8 * half], w);
        start = _mm256_sub_epi16(start, _mm256_maddubs_epi16(_mm256_set1_epi8((char)128), w));
        if ((4 * quad + 4) % f.group != 0) { continue; }
        _mm256_storeu_si256((__m256i *)to->starts[(32 * b + 4 * quad) / f.group][8 * half], start);
        start = _mm256_setzero_si256();
    }
}

// The same quads as pairs of 16 bits.
INLINE void open_pairs(const uint8_t *from, int half, tk_format f, __m256i table, long b, open_panel *to) {
    const __m256i bias = _mm256_set1_epi16((short)(panel_is_signed(f) ? 0 : f.bias));
#pragma clang loop unroll(full)
    for (int quad = 0; quad < 8; quad++) {
        const __m256i w = panel_codes(from, half, quad, f, table);
        __m256i *pair = (__m256i *)to->pairs[16 * b + 2 * quad][8 * half];
        _mm256_storeu_si256(pair, _mm256_sub_epi16(widened(w, 0), bias));
        _mm256_storeu_si256(pair + 2, _mm256_sub_epi16(widened(w, 2), bias));
    }
}

// `blocks` times 32 inputs of a panel, which have one head at most.
INLINE void open_weights(const tk_packed *weight, const uint8_t *panel, long block, long blocks, tk_format f, open_panel *to) {
    const __m256i table = panel_table(weight);
    const uint8_t *head = panel + block / 8 * (8 * tk_packed_block_bytes(f) + tk_head_bytes(f));
    const uint8_t *from = head + tk_head_bytes(f) + block % 8 * tk_packed_block_bytes(f);
    for (long b = 0; b < blocks; b++, from += tk_packed_block_bytes(f)) {
        panel_prefetch(from, tk_packed_block_bytes(f));
        for (int half = 0; half < 2; half++) {
            if (tk_is_narrow(f)) { open_quads(from, half, f, b, to); } else { open_pairs(from, half, f, table, b, to); }
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

// Of 32 inputs 128 more than each half, and whether there are lower ones.
INLINE bool raise_halves(const int8_t *high, const int8_t *low, uint8_t *to_high, uint8_t *to_low) {
    const __m256i more = _mm256_set1_epi8((char)128), lower = _mm256_loadu_si256((const __m256i *)low);
    _mm256_storeu_si256((__m256i *)to_high, _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)high), more));
    if (_mm256_testz_si256(lower, lower)) { return false; }
    _mm256_storeu_si256((__m256i *)to_low, _mm256_xor_si256(lower, more));
    return true;
}

// `blocks` times 32 inputs of a row, from the `at`-th code on.
INLINE void open_activations(const tk_quantized *x, long at, long blocks, tk_format f, open_row *restrict to) {
    for (long b = 0; b < blocks; b++) {
        const int8_t *high = x->high + at + 32 * b, *low = x->low + at + 32 * b;
        if (tk_is_narrow(f)) {
            to->has_low[b] = raise_halves(high, low, to->high + 32 * b, to->low + 32 * b);
        } else {
            join_codes(high, low, to->codes + 32 * b);
        }
    }
    const float *scales = x->scales + at / 32;
    const int32_t *sums = x->sums + at / TK_GROUP;
    for (long g = 0; g < 32 * blocks / f.group; g++) {
        const int32_t sum = f.group == 32 ? sums[2 * g] + sums[2 * g + 1] : sums[g];
        to->factors[g] = scales[g * f.group / 32];
        to->totals[g] = scales[g * f.group / 32] * (float)sum;
    }
}

#endif
