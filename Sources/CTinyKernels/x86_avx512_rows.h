// Products with VNNI of a prompt's rows of activations that are coarse. Weights are opened to bytes in the cache, some panels at
// a time, and used for all rows. What is summed up within a group are whole numbers whichever way, so results are those of a
// single row to the bit.
#ifndef TINY_X86_AVX512_ROWS_H
#define TINY_X86_AVX512_ROWS_H

#include "x86_avx512_panel.h"

enum {
    // Inputs that are multiplied before sums go back to memory: what one head serves.
    OPEN_INPUTS = 256,
    OPEN_GROUPS = OPEN_INPUTS / TK_GROUP,
    // Rows that meet as many panels at once: their sums take half of the registers.
    TILE_SIDE = 4,
    // What is opened before it is multiplied: 98 KB of the stack and of the second-level cache.
    OPEN_PANELS = 16,
    // Fewer rows are multiplied without.
    ROWS_TO_OPEN = 8,
};

// Some inputs of a panel: unsigned codes, four neighbouring ones of a row in each 32 bits, and what each group is multiplied by.
typedef struct {
    __m512i quads[OPEN_INPUTS / 4];
    __m512 scales[OPEN_GROUPS], offsets[OPEN_GROUPS];
} open_panel;

// The same inputs of a row of activations, and in four bits of `lows` whether 32 of them have lower halves. Of each group what
// takes the weights' bias off the sums of higher halves, and of lower ones; factor and factor · sum.
typedef struct {
    const int8_t *high, *low;
    uint32_t lows;
    int32_t high_starts[OPEN_GROUPS], low_starts[OPEN_GROUPS];
    float factors[OPEN_GROUPS], totals[OPEN_GROUPS];
} open_row;

// Where outputs go: as many rows and panels as there are, the last panel with the lanes that the matrix has.
typedef struct {
    float *y;
    long stride;
    bool adds;
    __mmask16 last;
} open_outputs;

// `blocks` times 32 inputs of a panel, which have one head at most.
INLINE void open_weights(const tk_packed *weight, const uint8_t *panel, long block, long blocks, tk_format f, open_panel *to) {
    const __m512i no_table = _mm512_setzero_si512();
    const uint8_t *head = panel + block / 8 * (8 * tk_packed_block_bytes(f) + tk_head_bytes(f));
    const uint8_t *from = head + tk_head_bytes(f) + block % 8 * tk_packed_block_bytes(f);
    const __m512 d = tk_has_head(f) ? panel_halves(head) : _mm512_setzero_ps();
    const __m512 m = tk_has_head(f) && f.has_offsets ? panel_halves(head + 2 * TK_PANEL_ROWS) : d;
    for (long b = 0; b < blocks; b++, from += tk_packed_block_bytes(f)) {
        panel_prefetch(from, tk_packed_block_bytes(f));
#pragma clang loop unroll(full)  // shifts are constants then
        for (int quad = 0; quad < 8; quad++) { to->quads[8 * b + quad] = panel_codes(from, quad, f, no_table); }
        for (int g = 0; g < 32 / f.group; g++) {
            to->scales[b * (32 / f.group) + g] = panel_scale(from, g, f, d);
            if (f.has_offsets) { to->offsets[b * (32 / f.group) + g] = panel_offset(from, g, f, m); }
        }
    }
}

// `blocks` times 32 inputs of a row, from the `at`-th code on. Lanes are groups.
INLINE void open_activations(const tk_quantized *x, long at, long blocks, tk_format f, open_row *to) {
    to->high = x->high + at;
    to->low = x->low + at;
    to->lows = 0;
    for (long b = 0; b < blocks; b += 2) {
        const __m512i low = _mm512_maskz_loadu_epi64(b + 1 < blocks ? 0xFF : 0x0F, to->low + 32 * b);
        to->lows |= (uint32_t)_mm512_test_epi64_mask(low, low) << 4 * b;
    }
    __m512i sums = _mm512_maskz_loadu_epi32(first_lanes(2 * blocks), x->sums + at / TK_GROUP);
    __m512 factors = _mm512_maskz_loadu_ps(first_lanes(blocks), x->scales + at / 32);
    if (f.group == 32) {
        sums = _mm512_add_epi32(sums, _mm512_srli_epi64(sums, 32));
        sums = _mm512_zextsi256_si512(_mm512_cvtepi64_epi32(sums));
    } else {
        factors = _mm512_permutexvar_ps(_mm512_set_epi32(7, 7, 6, 6, 5, 5, 4, 4, 3, 3, 2, 2, 1, 1, 0, 0), factors);
    }
    const __m512i bias = _mm512_set1_epi32(-f.bias);
    _mm512_storeu_si512(to->high_starts, _mm512_mullo_epi32(bias, _mm512_srai_epi32(sums, 7)));
    _mm512_storeu_si512(to->low_starts, _mm512_mullo_epi32(bias, _mm512_and_si512(sums, _mm512_set1_epi32(127))));
    _mm512_storeu_ps(to->factors, factors);
    _mm512_storeu_ps(to->totals, _mm512_mul_ps(factors, _mm512_cvtepi32_ps(sums)));
}

// Asks for them before: rows stand far apart, where the processor does not foresee it.
INLINE void ask_for_activations(const tk_quantized *x, long at, long blocks) {
    for (long line = 0; line < 32 * blocks; line += 64) {
        _mm_prefetch((const char *)(x->high + at + line), _MM_HINT_T0);
        _mm_prefetch((const char *)(x->low + at + line), _MM_HINT_T0);
    }
    _mm_prefetch((const char *)(x->scales + at / 32), _MM_HINT_T0);
    _mm_prefetch((const char *)(x->sums + at / TK_GROUP), _MM_HINT_T0);
}

// sums += products of a group's halves of codes, higher or lower ones, by the weights of each panel.
INLINE void sum_quads(const open_panel *w, int panels, const int8_t *const *inputs, int rows, int group, long g,
                      __m512i (*sums)[TILE_SIDE]) {
    for (long quad = g * group / 4; quad < (g + 1) * group / 4; quad++) {
        __m512i weights[TILE_SIDE];
        for (int s = 0; s < panels; s++) { weights[s] = w[s].quads[quad]; }
        for (int r = 0; r < rows; r++) {
            const __m512i four = _mm512_set1_epi32(quad_at(inputs[r] + 4 * quad));
            for (int s = 0; s < panels; s++) { sums[r][s] = _mm512_dpbusd_epi32(sums[r][s], weights[s], four); }
        }
    }
}

// Sums of a group's products, of rows by panels.
INLINE void sum_group(const open_panel *w, int panels, const open_row *x, int rows, int group, long g, __m512i (*sums)[TILE_SIDE]) {
    for (int r = 0; r < rows; r++) {
        for (int s = 0; s < panels; s++) { sums[r][s] = _mm512_set1_epi32(x[r].high_starts[g]); }
    }
    const int8_t *high[TILE_SIDE];
    for (int r = 0; r < rows; r++) { high[r] = x[r].high; }
    sum_quads(w, panels, high, rows, group, g, sums);
#pragma clang loop unroll(full)  // sums stay in registers then
    for (int r = 0; r < rows; r++) {
        for (int s = 0; s < panels; s++) { sums[r][s] = _mm512_slli_epi32(sums[r][s], 7); }
        if ((x[r].lows >> 4 * (g * group / 32) & 15) == 0) { continue; }
        for (int s = 0; s < panels; s++) { sums[r][s] = _mm512_add_epi32(sums[r][s], _mm512_set1_epi32(x[r].low_starts[g])); }
        sum_quads(w, panels, &x[r].low, 1, group, g, sums + r);
    }
}

// y += what `groups` groups add. All but pointers and counts is constant where this is expanded.
INLINE void open_tile(const open_panel *w, int panels, const open_row *x, int rows, long groups, int group, bool has_offsets,
                      open_outputs to) {
    __m512 outputs[TILE_SIDE][TILE_SIDE];
    for (int r = 0; r < rows; r++) {
        for (int s = 0; s < panels; s++) {
            const float *y = to.y + r * to.stride + s * TK_PANEL_ROWS;
            outputs[r][s] = _mm512_maskz_loadu_ps(!to.adds ? 0 : s == panels - 1 ? to.last : 0xFFFF, y);
            _mm_prefetch((const char *)(y + TILE_SIDE * to.stride), _MM_HINT_T0);
        }
    }
    for (long g = 0; g < groups; g++) {
        __m512i sums[TILE_SIDE][TILE_SIDE];
        sum_group(w, panels, x, rows, group, g, sums);
        for (int r = 0; r < rows; r++) {
            const __m512 factor = _mm512_set1_ps(x[r].factors[g]), total = _mm512_set1_ps(x[r].totals[g]);
            for (int s = 0; s < panels; s++) {
                const __m512 scale = _mm512_mul_ps(w[s].scales[g], factor);
                outputs[r][s] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(sums[r][s]), scale, outputs[r][s]);
                if (has_offsets) { outputs[r][s] = _mm512_fmadd_ps(w[s].offsets[g], total, outputs[r][s]); }
            }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int s = 0; s < panels; s++) {
            _mm512_mask_storeu_ps(to.y + r * to.stride + s * TK_PANEL_ROWS, s == panels - 1 ? to.last : 0xFFFF, outputs[r][s]);
        }
    }
}

// Four rows or one, by four panels at a time and those that are left.
INLINE void open_product(const open_panel *w, long panels, const open_row *x, int rows, long groups, int group, bool has_offsets,
                         open_outputs to) {
    for (; panels >= TILE_SIDE; panels -= TILE_SIDE, w += TILE_SIDE, to.y += TILE_SIDE * TK_PANEL_ROWS) {
        open_outputs some = to;
        if (panels > TILE_SIDE) { some.last = 0xFFFF; }
        open_tile(w, TILE_SIDE, x, rows, groups, group, has_offsets, some);
    }
    for (; panels > 0; panels--, w++, to.y += TK_PANEL_ROWS) {
        open_outputs some = to;
        if (panels > 1) { some.last = 0xFFFF; }
        open_tile(w, 1, x, rows, groups, group, has_offsets, some);
    }
}

// Types differ in how they are opened, and in this by groups and offsets alone: they share what is expanded for those.
#define OPEN_PRODUCT(NAME, GROUP, HAS_OFFSETS)                                                                         \
    __attribute__((noinline)) static void NAME(const open_panel *w, long panels, const open_row *x, long rows,         \
                                               long groups, open_outputs to) {                                         \
        if (rows == TILE_SIDE) { return open_product(w, panels, x, TILE_SIDE, groups, GROUP, HAS_OFFSETS, to); }       \
        for (long r = 0; r < rows; r++, to.y += to.stride) {                                                           \
            open_product(w, panels, x + r, 1, groups, GROUP, HAS_OFFSETS, to);                                         \
        }                                                                                                              \
    }
OPEN_PRODUCT(open_product_16, 16, false)
OPEN_PRODUCT(open_product_16_offsets, 16, true)
OPEN_PRODUCT(open_product_32, 32, false)
OPEN_PRODUCT(open_product_32_offsets, 32, true)

INLINE void open_panels_product(const tk_packed *weight, long first_panel, long end, const tk_quantized *x, long m, float *y,
                                long y_stride, tk_format f) {
    open_panel opened[OPEN_PANELS];
    open_row rows[TILE_SIDE];
    const long k = weight->columns, step = OPEN_INPUTS / 32;
    for (long p = first_panel; p < end; p += OPEN_PANELS) {
        const long panels = end - p < OPEN_PANELS ? end - p : OPEN_PANELS;
        open_outputs to = {.stride = y_stride, .last = first_lanes(weight->rows - (p + panels - 1) * TK_PANEL_ROWS)};
        for (long block = 0; block < k / 32; block += step) {
            const long blocks = k / 32 - block < step ? k / 32 - block : step, groups = 32 * blocks / f.group;
            for (long s = 0; s < panels; s++) {
                open_weights(weight, weight->panels + (p + s) * weight->panel_bytes, block, blocks, f, &opened[s]);
            }
            to.adds = block > 0;
            for (long i = 0; i < m; i += TILE_SIDE) {
                const long count = m - i < TILE_SIDE ? m - i : TILE_SIDE;
                for (long r = 0; r < count; r++) {
                    open_activations(x, (i + r) * k + 32 * block, blocks, f, &rows[r]);
                    if (i + TILE_SIDE + r < m) { ask_for_activations(x, (i + TILE_SIDE + r) * k + 32 * block, blocks); }
                }
                to.y = y + i * y_stride + p * TK_PANEL_ROWS;
                if (f.group == 32) {
                    (f.has_offsets ? open_product_32_offsets : open_product_32)(opened, panels, rows, count, groups, to);
                } else {
                    (f.has_offsets ? open_product_16_offsets : open_product_16)(opened, panels, rows, count, groups, to);
                }
            }
        }
    }
}

#endif
