// AVX-512 (F, BW, VL) with VNNI: sixteen floats, or sixty-four 8-bit products, an instruction.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,fma"))), apply_to = function)
#include "elementwise.h"
#include "float_panels.h"
#include "x86_avx512_rows.h"

#define TK_LANES 16
#define TK_SIDE 4
#include "rows.h"

static void quantize(const float *values, long k, int8_t *high, int8_t *low, float *scales, int32_t *sums) {
    for (long b = 0; b < k / 32; b++, values += 32, high += 32, low += 32) {
        __m512 x[2] = {_mm512_loadu_ps(values), _mm512_loadu_ps(values + 16)};
        // As bits NaN is above all numbers, so that it reaches the scale and is not lost.
        __m512i bits = _mm512_max_epi32(_mm512_castps_si512(_mm512_abs_ps(x[0])), _mm512_castps_si512(_mm512_abs_ps(x[1])));
        float largest = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(_mm512_reduce_max_epi32(bits))));
        float scale = largest <= 0x1p-100f ? 0 : largest / TK_LARGEST_CODE, inverse = scale > 0 ? 1 / scale : 0;
        for (int g = 0; g < 2; g++) {
            // To the nearest, and 0 for NaN: the scale says that there is one.
            const __m512 scaled = _mm512_mul_ps(x[g], _mm512_set1_ps(inverse));
            __m512i code = _mm512_maskz_cvtps_epi32(_mm512_cmp_ps_mask(scaled, scaled, _CMP_ORD_Q), scaled);
            __m512i upper = _mm512_srai_epi32(_mm512_add_epi32(code, _mm512_set1_epi32(64)), 7);
            __m512i lower = _mm512_sub_epi32(code, _mm512_slli_epi32(upper, 7));
            _mm_storeu_si128((__m128i *)(high + 16 * g), _mm512_cvtepi32_epi8(upper));
            _mm_storeu_si128((__m128i *)(low + 16 * g), _mm512_cvtepi32_epi8(lower));
            sums[2 * b + g] = _mm512_reduce_add_epi32(code);
        }
        scales[b] = scale;
    }
}

// One panel by four rows of activations or one. Everything but the pointers is constant where this is expanded, so each
// type gets code of its own. `vpdpbusd` takes four inputs of sixteen rows at a time; high and low codes are added up apart.
INLINE void panel_product(const tk_packed *weight, const uint8_t *panel, const tk_quantized *x, long i, int rows,
                          tk_format f, __m512 *sum) {
    // A sum waits for the one before it: a single row is added up in two chains, so that there is enough to do meanwhile.
    const int chains = rows == 1 ? 2 : 1;
    const __m512i table = panel_table(weight);
    const long k = weight->columns, block_bytes = tk_packed_block_bytes(f);
    __m512 d = _mm512_setzero_ps(), m = d;
    for (int r = 0; r < rows; r++) { sum[r] = _mm512_setzero_ps(); }
    for (long b = 0; b < k / 32; b++, panel += block_bytes) {
        if (tk_has_head(f) && b % 8 == 0) {
            d = panel_halves(panel);
            if (f.has_offsets) { m = panel_halves(panel + 2 * TK_PANEL_ROWS); }
            panel += tk_head_bytes(f);
        }
        panel_prefetch(panel, block_bytes);
#pragma clang loop unroll(full)  // shifts are constants then
        for (int g = 0; g < 32 / f.group; g++) {
            __m512i high[2][4], low[2][4];
            for (int r = 0; r < 8; r++) { high[r / 4][r % 4] = low[r / 4][r % 4] = _mm512_setzero_si512(); }
#pragma clang loop unroll(full)
            for (int quad = g * f.group / 4; quad < (g + 1) * f.group / 4; quad++) {
                __m512i w = panel_codes(panel, quad, f, table);
                __m512i *upper = high[quad % chains], *lower = low[quad % chains];
                for (int r = 0; r < rows; r++) {
                    long at = (i + r) * k + 32 * b + 4 * quad;
                    upper[r] = _mm512_dpbusd_epi32(upper[r], w, _mm512_set1_epi32(quad_at(x->high + at)));
                    lower[r] = _mm512_dpbusd_epi32(lower[r], w, _mm512_set1_epi32(quad_at(x->low + at)));
                }
            }
            __m512 scale = panel_scale(panel, g, f, d);
            __m512 offset = f.has_offsets ? panel_offset(panel, g, f, m) : _mm512_setzero_ps();
            for (int r = 0; r < rows; r++) {
                const int32_t *sums = x->sums + ((i + r) * k + 32 * b + g * f.group) / TK_GROUP;
                int32_t total = f.group == 32 ? sums[0] + sums[1] : sums[0];
                float factor = x->scales[((i + r) * k + 32 * b) / 32];
                __m512i upper = _mm512_add_epi32(high[0][r], high[1][r]), lower = _mm512_add_epi32(low[0][r], low[1][r]);
                __m512i products = _mm512_add_epi32(_mm512_slli_epi32(upper, 7), lower);
                if (f.bias != 0) { products = _mm512_sub_epi32(products, _mm512_set1_epi32(f.bias * total)); }
                __m512 scaled = _mm512_mul_ps(scale, _mm512_set1_ps(factor));
                sum[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products), scaled, sum[r]);
                if (f.has_offsets) { sum[r] = _mm512_fmadd_ps(offset, _mm512_set1_ps(factor * (float)total), sum[r]); }
            }
        }
    }
}

INLINE void panels_product(const tk_packed *weight, long first, long end, const tk_quantized *x, long m, float *y,
                           long y_stride, tk_format f) {
    if (m >= ROWS_TO_OPEN && tk_is_narrow(f) && x->is_coarse) {
        return open_panels_product(weight, first, end, x, m, y, y_stride, f);
    }
    for (long p = first; p < end; p++) {
        const uint8_t *panel = weight->panels + p * weight->panel_bytes;
        __mmask16 mask = first_lanes(weight->rows - p * TK_PANEL_ROWS);
        __m512 sum[4];
        for (long i = 0; i < m;) {
            int rows = m - i >= 4 ? 4 : 1;
            if (rows == 4) {
                panel_product(weight, panel, x, i, 4, f, sum);
            } else {
                panel_product(weight, panel, x, i, 1, f, sum);
            }
            for (int r = 0; r < rows; r++) { _mm512_mask_storeu_ps(y + (i + r) * y_stride + p * TK_PANEL_ROWS, mask, sum[r]); }
            i += rows;
        }
    }
}

#define CASE(TYPE) case TYPE: panels_product(w, first, end, x, m, y, y_stride, tk_format_of(TYPE)); break;

static void multiply_packed(const tk_packed *w, long first, long end, const tk_quantized *x, long m, float *y,
                            long y_stride) {
    switch (w->type) {
        TK_PACKED_TYPES(CASE)
    default: __builtin_trap();  // a type that is not quantized, or one that the list leaves out
    }
}

static void narrow(const float *values, long n, uint16_t *halves) {
    const __m512 limit = _mm512_set1_ps(TK_LARGEST_HALF);
    for (long i = 0; i < n; i += 16) {
        __mmask16 mask = first_lanes(n - i);
        __m512 x = _mm512_maskz_loadu_ps(mask, values + i);
        x = _mm512_max_ps(_mm512_set1_ps(-TK_LARGEST_HALF), _mm512_min_ps(limit, x));
        _mm256_mask_storeu_epi16(halves + i, mask, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
    }
}

#include "prompt_attention.h"

static bool is_supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

TK_MULTIPLY_FLOATS(8)

#define TK_AVX512                                                                                                      \
    .multiply = multiply, .multiply_floats = multiply_floats, .quantize = quantize, .weigh = weigh, .narrow = narrow,  \
    TK_ELEMENTWISE

const tk_variant tk_x86_avx512vnni = {
    {.name = "avx512vnni", .prefers_coarse = true, .multiply_packed = multiply_packed, TK_AVX512, TK_ATTEND_PACKED},
    is_supported,
};
// Tiles are one more way to multiply; all else is as above.
const tk_variant tk_x86_amx = {
    {.name = "amx", TK_AVX512, .multiply_packed = tk_amx_multiply_packed, .round_rows = tk_amx_round_rows,
     .multiply_rounded = tk_amx_multiply_rounded, .multiply_gated = tk_amx_multiply_gated, .pack_tokens = tk_amx_pack_tokens, .attend_packed = tk_amx_attend,
     .attend_packed_floats = tk_amx_attention_floats},
    tk_amx_is_supported,
};
#pragma clang attribute pop
#endif
