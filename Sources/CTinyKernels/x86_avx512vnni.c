// AVX-512 (F, BW, VL) with VNNI: sixteen floats, or sixty-four 8-bit products, an instruction.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,fma"))), apply_to = function)
#include "elementwise.h"
#include "x86_avx512_panel.h"

// A tile of MR rows of a and NR rows of b, one accumulator a pair, lanes along k: a pair's sum has the same order in
// every tile. Constant bounds unroll; the loops over r and s leave no trace in the code.
#define TILE(NAME, MR, NR)                                                                                             \
    static void NAME(const float *a, long a_stride, const float *b, long b_stride, long k, float *c, long c_stride) {  \
        __m512 sum[MR][NR];                                                                                            \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NR; s++) { sum[r][s] = _mm512_setzero_ps(); }                                          \
        }                                                                                                              \
        for (long i = 0; i < k; i += 16) {                                                                             \
            __mmask16 mask = first_lanes(k - i);                                                                       \
            __m512 y[NR];                                                                                              \
            for (int s = 0; s < NR; s++) { y[s] = _mm512_maskz_loadu_ps(mask, b + s * b_stride + i); }                 \
            for (int r = 0; r < MR; r++) {                                                                             \
                __m512 x = _mm512_maskz_loadu_ps(mask, a + r * a_stride + i);                                          \
                for (int s = 0; s < NR; s++) { sum[r][s] = _mm512_fmadd_ps(x, y[s], sum[r][s]); }                      \
            }                                                                                                          \
        }                                                                                                              \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NR; s++) { c[r * c_stride + s] = _mm512_reduce_add_ps(sum[r][s]); }                    \
        }                                                                                                              \
    }
TILE(tile_4x4, 4, 4)
TILE(tile_4x1, 4, 1)
TILE(tile_1x4, 1, 4)
TILE(tile_1x1, 1, 1)

static void multiply(const float *a, long a_stride, long m, const float *b, long b_stride, long n, long k, float *c,
                     long c_stride) {
    long i = 0;
    for (; i + 4 <= m; i += 4) {
        const float *rows = a + i * a_stride;
        long j = 0;
        for (; j + 4 <= n; j += 4) {
            tile_4x4(rows, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride);
        }
        for (; j < n; j++) { tile_4x1(rows, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride); }
    }
    for (; i < m; i++) {
        const float *row = a + i * a_stride;
        long j = 0;
        for (; j + 4 <= n; j += 4) {
            tile_1x4(row, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride);
        }
        for (; j < n; j++) { tile_1x1(row, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride); }
    }
}

static void quantize(const float *values, long k, int8_t *high, int8_t *low, float *scales, int32_t *sums) {
    for (long b = 0; b < k / 32; b++, values += 32, high += 32, low += 32) {
        __m512 x[2] = {_mm512_loadu_ps(values), _mm512_loadu_ps(values + 16)};
        // As bits NaN is above all numbers, so that it reaches the scale and is not lost.
        __m512i bits = _mm512_max_epi32(_mm512_castps_si512(_mm512_abs_ps(x[0])), _mm512_castps_si512(_mm512_abs_ps(x[1])));
        float largest = _mm_cvtss_f32(_mm_castsi128_ps(_mm_cvtsi32_si128(_mm512_reduce_max_epi32(bits))));
        float scale = largest <= 0x1p-100f ? 0 : largest / TK_LARGEST_CODE, inverse = scale > 0 ? 1 / scale : 0;
        for (int g = 0; g < 2; g++) {
            __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(x[g], _mm512_set1_ps(inverse)));
            __m512i upper = _mm512_srai_epi32(_mm512_add_epi32(code, _mm512_set1_epi32(64)), 7);
            __m512i lower = _mm512_sub_epi32(code, _mm512_slli_epi32(upper, 7));
            _mm_storeu_si128((__m128i *)(high + 16 * g), _mm512_cvtepi32_epi8(upper));
            _mm_storeu_si128((__m128i *)(low + 16 * g), _mm512_cvtepi32_epi8(lower));
            sums[2 * b + g] = _mm512_reduce_add_epi32(code);
        }
        scales[b] = scale;
    }
}

// One panel by MR rows of activations. Everything but the pointers is constant where this is expanded, so each format
// gets code of its own. `vpdpbusd` takes four inputs of sixteen rows at a time; high and low codes are added up apart.
static inline __attribute__((always_inline)) void panel_product(
    const tk_packed *weight, const uint8_t *panel, const tk_quantized *x, long i, int mr, int bits, bool has_table,
    bool has_halves, bool has_offsets, int group, __m512 *sum) {
    const __m512i bias = _mm512_set1_epi32(weight->bias), table = panel_table(weight);
    const long k = weight->columns, scale_bytes = TK_PANEL_ROWS * (has_halves ? 2 : 4);
    const long block_bytes = TK_PANEL_ROWS * 32 * bits / 8 + scale_bytes * (32 / group) * (has_offsets ? 2 : 1);
    for (int r = 0; r < mr; r++) { sum[r] = _mm512_setzero_ps(); }
    for (long b = 0; b < k / 32; b++, panel += block_bytes) {
        for (int line = 0; line < block_bytes; line += 64) { _mm_prefetch((const char *)panel + line + 2048, _MM_HINT_T0); }
        const uint8_t *scales = panel + TK_PANEL_ROWS * 32 * bits / 8;
        const uint8_t *offsets = scales + scale_bytes * (32 / group);
        for (int g = 0; g < 32 / group; g++) {
            __m512i high[8], low[8];
            for (int r = 0; r < mr; r++) { high[r] = low[r] = _mm512_setzero_si512(); }
            for (int quad = g * group / 4; quad < (g + 1) * group / 4; quad++) {
                __m512i w = panel_codes(panel, quad, bits, has_table, table);
                for (int r = 0; r < mr; r++) {
                    long at = (i + r) * k + 32 * b + 4 * quad;
                    high[r] = _mm512_dpbusd_epi32(high[r], w, _mm512_set1_epi32(quad_at(x->high + at)));
                    low[r] = _mm512_dpbusd_epi32(low[r], w, _mm512_set1_epi32(quad_at(x->low + at)));
                }
            }
            __m512 scale = panel_scales(scales + g * scale_bytes, has_halves);
            for (int r = 0; r < mr; r++) {
                const int32_t *sums = x->sums + ((i + r) * k + 32 * b + g * group) / TK_GROUP;
                int32_t total = group == 32 ? sums[0] + sums[1] : sums[0];
                float factor = x->scales[((i + r) * k + 32 * b) / 32];
                __m512i products = _mm512_add_epi32(_mm512_slli_epi32(high[r], 7), low[r]);
                if (!has_offsets || bits == 8) {
                    products = _mm512_sub_epi32(products, _mm512_mullo_epi32(bias, _mm512_set1_epi32(total)));
                }
                __m512 scaled = _mm512_mul_ps(scale, _mm512_set1_ps(factor));
                sum[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products), scaled, sum[r]);
                if (has_offsets) {
                    __m512 offset = panel_scales(offsets + g * scale_bytes, has_halves);
                    sum[r] = _mm512_fmadd_ps(offset, _mm512_set1_ps(factor * (float)total), sum[r]);
                }
            }
        }
    }
}

static inline __attribute__((always_inline)) void panels_product(
    const tk_packed *weight, long first, long end, const tk_quantized *x, long m, float *y, long y_stride, int bits,
    bool has_table, bool has_halves, bool has_offsets, int group) {
    for (long p = first; p < end; p++) {
        const uint8_t *panel = weight->panels + p * weight->panel_bytes;
        long rows = weight->rows - p * TK_PANEL_ROWS;
        __mmask16 mask = first_lanes(rows);
        __m512 sum[8];
        for (long i = 0; i < m;) {
            long mr = m - i >= 8 ? 8 : m - i >= 4 ? 4 : 1;
            if (mr == 8) {
                panel_product(weight, panel, x, i, 8, bits, has_table, has_halves, has_offsets, group, sum);
            } else if (mr == 4) {
                panel_product(weight, panel, x, i, 4, bits, has_table, has_halves, has_offsets, group, sum);
            } else {
                panel_product(weight, panel, x, i, 1, bits, has_table, has_halves, has_offsets, group, sum);
            }
            for (long r = 0; r < mr; r++) { _mm512_mask_storeu_ps(y + (i + r) * y_stride + p * TK_PANEL_ROWS, mask, sum[r]); }
            i += mr;
        }
    }
}

#define FORMAT(BITS, TABLE, HALVES, OFFSETS, GROUP)                                                                    \
    if (w->bits == BITS && w->has_table == TABLE && w->has_half_scales == HALVES && w->has_offsets == OFFSETS &&       \
        w->group == GROUP) {                                                                                           \
        panels_product(w, first, end, x, m, y, y_stride, BITS, TABLE, HALVES, OFFSETS, GROUP);                         \
        return;                                                                                                        \
    }

static void multiply_packed(const tk_packed *w, long first, long end, const tk_quantized *x, long m, float *y,
                            long y_stride) {
    TK_PACKED_FORMATS(FORMAT)
    __builtin_trap();  // a format that pack.c makes and the list leaves out
}

// MR rows of weights over NC · 16 columns of v at a time; a column's sum runs over j in order.
#define WEIGH(NAME, MR, NC)                                                                                            \
    static void NAME(const float *p, long p_stride, const float *v, long width, long n, float *out, bool adds,       \
                     __mmask16 mask) {                                                                                 \
        __m512 sum[MR][NC];                                                                                            \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NC; s++) { sum[r][s] = adds ? _mm512_maskz_loadu_ps(mask, out + r * width + 16 * s) : _mm512_setzero_ps(); }\
        }                                                                                                              \
        for (long j = 0; j < n; j++) {                                                                                 \
            __m512 x[NC];                                                                                              \
            for (int s = 0; s < NC; s++) { x[s] = _mm512_maskz_loadu_ps(mask, v + j * width + 16 * s); }               \
            for (int r = 0; r < MR; r++) {                                                                             \
                __m512 factor = _mm512_set1_ps(p[r * p_stride + j]);                                                   \
                for (int s = 0; s < NC; s++) { sum[r][s] = _mm512_fmadd_ps(factor, x[s], sum[r][s]); }                 \
            }                                                                                                          \
        }                                                                                                              \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NC; s++) { _mm512_mask_storeu_ps(out + r * width + 16 * s, mask, sum[r][s]); }         \
        }                                                                                                              \
    }
WEIGH(weigh_4x4, 4, 4)
WEIGH(weigh_1x4, 1, 4)
WEIGH(weigh_1x1, 1, 1)

static void weigh(const float *p, long p_stride, long m, const float *v, long width, long n, float *out, bool adds) {
    long c = 0;
    for (; c + 64 <= width; c += 64) {
        long i = 0;
        for (; i + 4 <= m; i += 4) { weigh_4x4(p + i * p_stride, p_stride, v + c, width, n, out + i * width + c, adds, 0xFFFF); }
        for (; i < m; i++) { weigh_1x4(p + i * p_stride, p_stride, v + c, width, n, out + i * width + c, adds, 0xFFFF); }
    }
    for (; c < width; c += 16) {
        __mmask16 mask = first_lanes(width - c);
        for (long i = 0; i < m; i++) { weigh_1x1(p + i * p_stride, p_stride, v + c, width, n, out + i * width + c, adds, mask); }
    }
}

static void widen(const uint16_t *halves, long n, float *values) {
    for (long i = 0; i < n; i += 16) {
        __mmask16 mask = first_lanes(n - i);
        _mm512_mask_storeu_ps(values + i, mask, _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, halves + i)));
    }
}

static void narrow(const float *values, long n, uint16_t *halves) {
    const __m512 limit = _mm512_set1_ps(TK_LARGEST_HALF);
    for (long i = 0; i < n; i += 16) {
        __mmask16 mask = first_lanes(n - i);
        __m512 x = _mm512_maskz_loadu_ps(mask, values + i);
        x = _mm512_max_ps(_mm512_sub_ps(_mm512_setzero_ps(), limit), _mm512_min_ps(limit, x));
        _mm256_mask_storeu_epi16(halves + i, mask, _mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
    }
}

static bool is_supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

#define TK_AVX512                                                                                                      \
    .multiply = multiply, .multiply_packed = multiply_packed, .quantize = quantize, .weigh = weigh, .widen = widen,    \
    .narrow = narrow, TK_ELEMENTWISE

const tk_variant tk_x86_avx512vnni = {
    {.name = "avx512vnni", TK_AVX512},
    is_supported,
};
// Tiles are one more way to multiply; all else is as above.
const tk_variant tk_x86_amx = {
    {.name = "amx", TK_AVX512, .round_rows = tk_amx_round_rows, .multiply_rounded = tk_amx_multiply_rounded,
     .pack_tokens = tk_amx_pack_tokens, .attend_packed = tk_amx_attend, .attend_packed_floats = tk_amx_attention_floats},
    tk_amx_is_supported,
};
#pragma clang attribute pop
#endif
