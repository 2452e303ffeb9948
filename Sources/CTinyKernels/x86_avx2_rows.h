// Products with AVX2 where there are several rows of activations: weights are opened up to 16 bits in the cache, some panels
// at a time, and used for all rows. One `vpmaddwd` then does for a whole code of an activation what takes two `vpmaddubsw` for
// its halves, and nothing is left to be done to the weights. What is summed up within a group are whole numbers either way, so
// results are those of a single row to the bit.
#ifndef TINY_X86_AVX2_ROWS_H
#define TINY_X86_AVX2_ROWS_H

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

// Some inputs of a panel: codes without their bias, two neighbouring inputs of a row side by side.
typedef struct {
    int16_t codes[OPEN_INPUTS / 2][TK_PANEL_ROWS][2];
    float scales[OPEN_GROUPS][TK_PANEL_ROWS], offsets[OPEN_GROUPS][TK_PANEL_ROWS];
} open_panel;

// The same inputs of some rows of activations: whole codes, and of each group factor · sum.
typedef struct {
    int16_t codes[ROWS_AT_ONCE][OPEN_INPUTS];
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
                __m256i *pair = (__m256i *)to->codes[16 * b + 2 * quad][8 * half];
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

// The same inputs of rows from the i-th on.
INLINE void open_activations(const tk_quantized *x, long i, int rows, long k, long block, long blocks, tk_format f,
                             open_rows *to) {
    for (int r = 0; r < rows; r++) {
        const long at = (i + r) * k + 32 * block;
        for (long b = 0; b < blocks; b++) { join_codes(x->high + at + 32 * b, x->low + at + 32 * b, to->codes[r] + 32 * b); }
        for (long g = 0; g < 32 * blocks / f.group; g++) { to->factors[r][g] = x->scales[(at + g * f.group) / 32]; }
        if (!f.has_offsets) { continue; }
        for (long g = 0; g < 32 * blocks / f.group; g++) {
            const int32_t *sums = x->sums + (at + g * f.group) / TK_GROUP;
            to->totals[r][g] = to->factors[r][g] * (float)(f.group == 32 ? sums[0] + sums[1] : sums[0]);
        }
    }
}

// sums += what `groups` groups add, for each row of activations and half of the panel.
INLINE void open_product(const open_panel *w, const open_rows *x, int rows, long groups, tk_format f, __m256 (*sums)[2]) {
    for (long g = 0; g < groups; g++) {
        __m256i products[ROWS_AT_ONCE][2];
        for (int r = 0; r < rows; r++) { products[r][0] = products[r][1] = _mm256_setzero_si256(); }
#pragma clang loop unroll(disable)  // else sums are taken in another order, for which there are too few registers
        for (int pair = 0; pair < f.group / 2; pair++) {
            const __m256i *codes = (const __m256i *)w->codes[g * f.group / 2 + pair];
            const __m256i left = _mm256_loadu_si256(codes), right = _mm256_loadu_si256(codes + 1);
            for (int r = 0; r < rows; r++) {
                int32_t two;
                memcpy(&two, &x->codes[r][g * f.group + 2 * pair], sizeof two);
                const __m256i inputs = _mm256_set1_epi32(two);
                products[r][0] = _mm256_add_epi32(products[r][0], _mm256_madd_epi16(left, inputs));
                products[r][1] = _mm256_add_epi32(products[r][1], _mm256_madd_epi16(right, inputs));
            }
        }
        for (int half = 0; half < 2; half++) {
            const __m256 scale = _mm256_loadu_ps(w->scales[g] + 8 * half);
            for (int r = 0; r < rows; r++) {
                __m256 scaled = _mm256_mul_ps(scale, _mm256_set1_ps(x->factors[r][g]));
                sums[r][half] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(products[r][half]), scaled, sums[r][half]);
                if (f.has_offsets) {
                    sums[r][half] = _mm256_fmadd_ps(_mm256_loadu_ps(w->offsets[g] + 8 * half), _mm256_set1_ps(x->totals[r][g]),
                                                    sums[r][half]);
                }
            }
        }
    }
}

// To y, or added to what is there.
INLINE void put_open_product(const open_panel *w, const open_rows *x, int rows, long groups, tk_format f, bool adds, float *y,
                             long y_stride) {
    __m256 sums[ROWS_AT_ONCE][2];
    for (int r = 0; r < rows; r++) {
        for (int half = 0; half < 2; half++) {
            sums[r][half] = adds ? _mm256_loadu_ps(y + r * y_stride + 8 * half) : _mm256_setzero_ps();
        }
    }
    open_product(w, x, rows, groups, f, sums);
    for (int r = 0; r < rows; r++) {
        for (int half = 0; half < 2; half++) { _mm256_storeu_ps(y + r * y_stride + 8 * half, sums[r][half]); }
    }
}

INLINE void put_rows(const open_panel *w, const open_rows *x, int rows, long groups, tk_format f, bool adds, float *y,
                     long y_stride) {
    switch (rows) {
    case 4: put_open_product(w, x, 4, groups, f, adds, y, y_stride); break;
    case 3: put_open_product(w, x, 3, groups, f, adds, y, y_stride); break;
    case 2: put_open_product(w, x, 2, groups, f, adds, y, y_stride); break;
    default: put_open_product(w, x, 1, groups, f, adds, y, y_stride);
    }
}

// … which may be the last ones of the matrix, fewer than a panel has.
INLINE void put_outputs(const open_panel *w, const open_rows *x, int rows, long groups, tk_format f, bool adds, float *y,
                        long y_stride, long outputs) {
    if (outputs >= TK_PANEL_ROWS) {
        put_rows(w, x, rows, groups, f, adds, y, y_stride);
        return;
    }
    float all[ROWS_AT_ONCE][TK_PANEL_ROWS] = {0};
    const size_t bytes = (size_t)outputs * sizeof *y;
    for (int r = 0; r < rows; r++) { memcpy(all[r], y + r * y_stride, bytes); }
    put_rows(w, x, rows, groups, f, adds, all[0], TK_PANEL_ROWS);
    for (int r = 0; r < rows; r++) { memcpy(y + r * y_stride, all[r], bytes); }
}

INLINE void open_panels_product(const tk_packed *weight, long first_panel, long end, const tk_quantized *x, long m, float *y,
                                long y_stride, tk_format f) {
    open_panel opened[OPEN_PANELS];
    open_rows tokens;
    const long all = weight->columns / 32;
    for (long p = first_panel; p < end; p += OPEN_PANELS) {
        const long panels = end - p < OPEN_PANELS ? end - p : OPEN_PANELS;
        for (long block = 0; block < all; block += OPEN_INPUTS / 32) {
            const long blocks = all - block < OPEN_INPUTS / 32 ? all - block : OPEN_INPUTS / 32, groups = 32 * blocks / f.group;
            for (long s = 0; s < panels; s++) {
                open_weights(weight, weight->panels + (p + s) * weight->panel_bytes, block, blocks, f, &opened[s]);
            }
            for (long i = 0; i < m; i += ROWS_AT_ONCE) {
                const int rows = m - i < ROWS_AT_ONCE ? (int)(m - i) : ROWS_AT_ONCE;
                open_activations(x, i, rows, weight->columns, block, blocks, f, &tokens);
                for (long s = 0; s < panels; s++) {
                    const long output = (p + s) * TK_PANEL_ROWS;
                    put_outputs(&opened[s], &tokens, rows, groups, f, block > 0, y + i * y_stride + output, y_stride,
                                weight->rows - output);
                }
            }
        }
    }
}

#endif
