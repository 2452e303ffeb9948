// Products with AVX2 where there are several rows of activations, by weights that are open (x86_avx2_open.h). What is summed up
// within a group are whole numbers whichever way, so results are those of a single row to the bit.
//
// One row meets several panels: what they share, a few of its inputs, is then in a register, and weights are operands in memory.
#ifndef TINY_X86_AVX2_ROWS_H
#define TINY_X86_AVX2_ROWS_H

#include "x86_avx2_open.h"

// Weights of both halves of a panel.
INLINE __m256i load_weights(const void *weights, int half) { return _mm256_loadu_si256((const __m256i *)weights + half); }

// The compiler is not to add up in another order, for which there are too few registers.
INLINE __m256i in_order(__m256i sum) {
    __asm__("" : "+x"(sum));
    return sum;
}

// Sums of a group's products for each half of each panel. One `vpmaddwd` does for a whole code of an activation what takes two
// `vpmaddubsw` for its halves.
INLINE void sum_pairs(const open_panel *w, int panels, const open_row *x, long g, tk_format f, __m256i *sums) {
    for (int s = 0; s < 2 * panels; s++) { sums[s] = _mm256_setzero_si256(); }
#pragma clang loop unroll_count(4)
    for (long pair = g * f.group / 2; pair < (g + 1) * f.group / 2; pair++) {
        int32_t two;
        memcpy(&two, x->codes + 2 * pair, sizeof two);
        const __m256i inputs = _mm256_set1_epi32(two);
        for (int s = 0; s < 2 * panels; s++) {
            const __m256i products = _mm256_madd_epi16(inputs, load_weights(w[s / 2].pairs[pair], s % 2));
            sums[s] = in_order(_mm256_add_epi32(sums[s], products));
        }
    }
}

// The same for weights of which 16 bits hold a group's products with halves of codes: `vpmaddubsw` does twice as many at a time.
// It takes unsigned bytes first, so inputs are raised by 128; what that adds is taken off by what the sums begin with. They may
// wrap around in between.
INLINE void sum_quads(const open_panel *w, int panels, const uint8_t *inputs, long g, tk_format f, __m256i *sums) {
#pragma clang loop unroll(full)
    for (int s = 0; s < 2 * panels; s++) { sums[s] = load_weights(w[s / 2].starts[g], s % 2); }
#pragma clang loop unroll(full)
    for (int quad = 0; quad < f.group / 4; quad++) {
        const long at = g * f.group / 4 + quad;
        const __m256i four = _mm256_set1_epi32(quad_at((const int8_t *)inputs + 4 * at));
#pragma clang loop unroll(full)
        for (int s = 0; s < 2 * panels; s++) {
            const __m256i products = _mm256_maddubs_epi16(four, load_weights(w[s / 2].quads[at], s % 2));
            sums[s] = in_order(_mm256_add_epi16(sums[s], products));
        }
    }
}

// 128 · higher + lower, where there are lower ones.
INLINE void sum_halves(const open_panel *w, int panels, const open_row *x, long g, tk_format f, __m256i *sums) {
    __m256i higher[2 * PANELS_AT_ONCE], lower[2 * PANELS_AT_ONCE];
    sum_quads(w, panels, x->high, g, f, higher);
    const bool has_low = x->has_low[g * f.group / 32];
    if (has_low) { sum_quads(w, panels, x->low, g, f, lower); }
#pragma clang loop unroll(full)
    for (int s = 0; s < 2 * panels; s++) {
        sums[s] = _mm256_madd_epi16(higher[s], _mm256_set1_epi16(128));
        if (has_low) { sums[s] = _mm256_add_epi32(sums[s], _mm256_madd_epi16(lower[s], _mm256_set1_epi16(1))); }
    }
}

// y += what `groups` groups of a row add for each output of the panels.
INLINE void open_product(const open_panel *w, int panels, const open_row *x, long groups, tk_format f, bool adds, float *y) {
    for (int s = 0; s < 2 * panels; s++) {
        if (adds) {
            _mm_prefetch((const char *)(y + 8 * s), _MM_HINT_T0);
        } else {
            _mm256_storeu_ps(y + 8 * s, _mm256_setzero_ps());
        }
    }
    for (long g = 0; g < groups; g++) {
        __m256i sums[2 * PANELS_AT_ONCE];
        if (tk_is_narrow(f)) { sum_halves(w, panels, x, g, f, sums); } else { sum_pairs(w, panels, x, g, f, sums); }
        const __m256 factor = _mm256_set1_ps(x->factors[g]), total = _mm256_set1_ps(f.has_offsets ? x->totals[g] : 0);
#pragma clang loop unroll(full)
        for (int s = 0; s < 2 * panels; s++) {
            const __m256 scale = _mm256_mul_ps(_mm256_loadu_ps(w[s / 2].scales[g] + 8 * (s % 2)), factor);
            __m256 sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(sums[s]), scale, _mm256_loadu_ps(y + 8 * s));
            if (f.has_offsets) { sum = _mm256_fmadd_ps(_mm256_loadu_ps(w[s / 2].offsets[g] + 8 * (s % 2)), total, sum); }
            _mm256_storeu_ps(y + 8 * s, sum);
        }
    }
}

INLINE void some_products(const open_panel *w, long panels, const open_row *x, long groups, tk_format f, bool adds, float *y) {
    switch (panels) {
    case 4: open_product(w, 4, x, groups, f, adds, y); break;
    case 3: open_product(w, 3, x, groups, f, adds, y); break;
    case 2: open_product(w, 2, x, groups, f, adds, y); break;
    default: open_product(w, 1, x, groups, f, adds, y);
    }
}

// … which may have the last outputs of the matrix, fewer than panels have rows.
INLINE void put_outputs(const open_panel *w, long panels, const open_row *x, long groups, tk_format f, bool adds, float *y,
                        long outputs) {
    if (outputs >= panels * TK_PANEL_ROWS) {
        some_products(w, panels, x, groups, f, adds, y);
        return;
    }
    float all[PANELS_AT_ONCE * TK_PANEL_ROWS] = {0};
    memcpy(all, y, (size_t)outputs * sizeof *y);
    some_products(w, panels, x, groups, f, adds, all);
    memcpy(y, all, (size_t)outputs * sizeof *y);
}

INLINE void open_panels_product(const tk_packed *weight, long first_panel, long end, const tk_quantized *x, long m, float *y,
                                long y_stride, tk_format f) {
    _Alignas(64) open_panel opened[OPEN_PANELS];
    _Alignas(64) open_row rows[OPEN_ROWS];
    const long all = weight->columns / 32, step = OPEN_INPUTS / 32 / (tk_is_narrow(f) ? 1 : 2);
    for (long p = first_panel; p < end; p += OPEN_PANELS) {
        const long last = end - p < OPEN_PANELS ? end : p + OPEN_PANELS;
        for (long block = 0; block < all; block += step) {
            const long blocks = all - block < step ? all - block : step;
            for (long s = p; s < last; s++) {
                open_weights(weight, weight->panels + s * weight->panel_bytes, block, blocks, f, &opened[s - p]);
            }
            for (long first = 0; first < m; first += OPEN_ROWS) {
                const long count = m - first < OPEN_ROWS ? m - first : OPEN_ROWS;
                for (long i = 0; i < count; i++) {
                    open_activations(x, (first + i) * weight->columns + 32 * block, blocks, f, &rows[i]);
                }
                for (long s = p; s < last; s += PANELS_AT_ONCE) {
                    const long panels = last - s < PANELS_AT_ONCE ? last - s : PANELS_AT_ONCE, output = s * TK_PANEL_ROWS;
                    for (long i = 0; i < count; i++) {
                        put_outputs(&opened[s - p], panels, &rows[i], 32 * blocks / f.group, f, block > 0,
                                    y + (first + i) * y_stride + output, weight->rows - output);
                    }
                }
            }
        }
    }
}

#endif
