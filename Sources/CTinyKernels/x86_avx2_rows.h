// Products with AVX2 where there are several rows of activations, by weights that are open (x86_avx2_open.h). What is summed up
// within a group are whole numbers whichever way, so results are those of a single row to the bit.
#ifndef TINY_X86_AVX2_ROWS_H
#define TINY_X86_AVX2_ROWS_H

#include "x86_avx2_open.h"

// Sums of a group's products for each row of activations and half of the panel. One `vpmaddwd` does for a whole code of an
// activation what takes two `vpmaddubsw` for its halves, and nothing is left to be done to the weights.
INLINE void sum_pairs(const open_panel *w, const open_rows *x, int rows, long g, tk_format f, __m256i (*products)[2]) {
    for (int r = 0; r < rows; r++) { products[r][0] = products[r][1] = _mm256_setzero_si256(); }
#pragma clang loop unroll(disable)  // else sums are taken in another order, for which there are too few registers
    for (int pair = 0; pair < f.group / 2; pair++) {
        const __m256i *codes = (const __m256i *)w->pairs[g * f.group / 2 + pair];
        const __m256i left = _mm256_loadu_si256(codes), right = _mm256_loadu_si256(codes + 1);
        for (int r = 0; r < rows; r++) {
            int32_t two;
            memcpy(&two, &x->codes[r][g * f.group + 2 * pair], sizeof two);
            const __m256i inputs = _mm256_set1_epi32(two);
            products[r][0] = _mm256_add_epi32(products[r][0], _mm256_madd_epi16(left, inputs));
            products[r][1] = _mm256_add_epi32(products[r][1], _mm256_madd_epi16(right, inputs));
        }
    }
}

// The same for weights of which 16 bits hold a group's products with halves of codes, 128 · high + low: `vpmaddubsw` does twice
// as many at a time.
INLINE void add_quads(const __m256i *weights, const int8_t (*inputs)[OPEN_INPUTS], int rows, long at, int quads,
                      __m256i (*sums)[2]) {
#pragma clang loop unroll(full)
    for (int quad = 0; quad < quads; quad++) {
        const __m256i left = _mm256_loadu_si256(weights + 2 * quad), right = _mm256_loadu_si256(weights + 2 * quad + 1);
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            const __m256i four = _mm256_set1_epi32(quad_at(inputs[r] + at + 4 * quad));
            const __m256i a = _mm256_maddubs_epi16(left, four), b = _mm256_maddubs_epi16(right, four);
            sums[r][0] = quad == 0 ? a : _mm256_add_epi16(sums[r][0], a);
            sums[r][1] = quad == 0 ? b : _mm256_add_epi16(sums[r][1], b);
        }
    }
}

// Lower halves are added where a row has any.
INLINE void sum_quads(const open_panel *w, const open_rows *x, int rows, long g, tk_format f, __m256i (*products)[2]) {
    const __m256i *weights = (const __m256i *)w->quads[g * f.group / 4];
    __m256i sums[ROWS_AT_ONCE][2];
    add_quads(weights, x->high, rows, g * f.group, f.group / 4, sums);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        const __m256i bias = _mm256_set1_epi32(f.bias != 0 ? x->biases[r][g] : 0);
        for (int half = 0; half < 2; half++) {
            products[r][half] = _mm256_madd_epi16(sums[r][half], _mm256_set1_epi16(128));
            if (f.bias != 0) { products[r][half] = _mm256_sub_epi32(products[r][half], bias); }
        }
    }
    if (!x->has_low[g * f.group / 32]) { return; }
    __asm__("" : "+r"(weights));  // else they are kept from above, for which there are too few registers
    add_quads(weights, x->low, rows, g * f.group, f.group / 4, sums);
#pragma clang loop unroll(full)
    for (int r = 0; r < rows; r++) {
        for (int half = 0; half < 2; half++) {
            const __m256i lower = _mm256_madd_epi16(sums[r][half], _mm256_set1_epi16(1));
            products[r][half] = _mm256_add_epi32(products[r][half], lower);
        }
    }
}

// sums += what `groups` groups add, for each row of activations and half of the panel.
INLINE void open_product(const open_panel *w, const open_rows *x, int rows, long groups, tk_format f, __m256 (*sums)[2]) {
    for (long g = 0; g < groups; g++) {
        __m256i products[ROWS_AT_ONCE][2];
        if (tk_is_narrow(f)) { sum_quads(w, x, rows, g, f, products); } else { sum_pairs(w, x, rows, g, f, products); }
        for (int half = 0; half < 2; half++) {
            const __m256 scale = _mm256_loadu_ps(w->scales[g] + 8 * half);
#pragma clang loop unroll(full)
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
                    put_outputs(&opened[s], &tokens, rows, groups, f, block > 0, y + i * y_stride + output,
                                y_stride, weight->rows - output);
                }
            }
        }
    }
}

#endif
