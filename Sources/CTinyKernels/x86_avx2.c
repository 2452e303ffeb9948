// AVX2 with FMA and F16C: eight floats, or thirty-two products of 8 bits, an instruction.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "elementwise.h"
#include "float_panels.h"
#include "x86_avx2_rows.h"

#define TK_LANES 8
#define TK_SIDE 2
#include "rows.h"

INLINE int32_t sum_of_lanes(__m256i x) {
    __m128i four = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    __m128i two = _mm_add_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    return _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32(two, 0xB1)));
}

// As bits NaN is above all numbers, so that it reaches the scale and is not lost.
INLINE float largest_magnitude(const __m256 *x) {
    const __m256i magnitude = _mm256_set1_epi32(0x7FFFFFFF);
    __m256i largest = _mm256_setzero_si256();
    for (int i = 0; i < 4; i++) { largest = _mm256_max_epi32(largest, _mm256_and_si256(_mm256_castps_si256(x[i]), magnitude)); }
    __m128i four = _mm_max_epi32(_mm256_castsi256_si128(largest), _mm256_extracti128_si256(largest, 1));
    __m128i two = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4E));
    return _mm_cvtss_f32(_mm_castsi128_ps(_mm_max_epi32(two, _mm_shuffle_epi32(two, 0xB1))));
}

// To the nearest, and 0 for NaN: the scale says that there is one.
INLINE __m256i whole_numbers(__m256 x) {
    return _mm256_cvtps_epi32(_mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q)));
}

// Thirty-two numbers of 16 bits that fit eight, in their order: instructions narrow within halves of a register.
INLINE void store_bytes(int8_t *to, const __m256i *x) {
    _mm256_storeu_si256((__m256i *)to, _mm256_permute4x64_epi64(_mm256_packs_epi16(x[0], x[1]), 0xD8));
}

static void quantize(const float *values, long k, int8_t *high, int8_t *low, float *scales, int32_t *sums) {
    for (long b = 0; b < k / 32; b++, values += 32, high += 32, low += 32) {
        __m256 x[4];
        for (int i = 0; i < 4; i++) { x[i] = _mm256_loadu_ps(values + 8 * i); }
        float largest = largest_magnitude(x);
        float scale = largest <= 0x1p-100f ? 0 : largest / TK_LARGEST_CODE, inverse = scale > 0 ? 1 / scale : 0;
        __m256i upper[2], lower[2];
        for (int g = 0; g < 2; g++) {
            __m256i first = whole_numbers(_mm256_mul_ps(x[2 * g], _mm256_set1_ps(inverse)));
            __m256i second = whole_numbers(_mm256_mul_ps(x[2 * g + 1], _mm256_set1_ps(inverse)));
            __m256i code = _mm256_permute4x64_epi64(_mm256_packs_epi32(first, second), 0xD8);
            upper[g] = _mm256_srai_epi16(_mm256_add_epi16(code, _mm256_set1_epi16(64)), 7);
            lower[g] = _mm256_sub_epi16(code, _mm256_slli_epi16(upper[g], 7));
            sums[2 * b + g] = sum_of_lanes(_mm256_add_epi32(first, second));
        }
        store_bytes(high, upper);
        store_bytes(low, lower);
        scales[b] = scale;
    }
}

// Unsigned by signed bytes, neighbours added up to 16 bits. The sign of signed weights is moved over to the other factor.
INLINE __m256i add_pairs(__m256i pairs, __m256i w, int32_t quad, bool is_signed) {
    __m256i x = _mm256_set1_epi32(quad);
    return _mm256_add_epi16(pairs, is_signed ? _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w))
                                             : _mm256_maddubs_epi16(w, x));
}

// How many quads' pairs 16 bits hold: a pair is at most two products of the largest code and 127.
INLINE int quads_in_16_bits(tk_format f, bool is_signed) {
    int quads = is_signed ? 1 : 32767 / (2 * 127 * ((1 << (f.low_bits + f.high_bits)) - 1));
    return quads > f.group / 4 ? f.group / 4 : quads;
}

// One panel by one row of activations. Everything but the pointers is constant where this is expanded, so each type gets
// code of its own.
INLINE void panel_product(const tk_packed *weight, const uint8_t *panel, const tk_quantized *x, long i, tk_format f, __m256 *sum) {
    // Two products of weights of eight unsigned bits would not fit sixteen.
    const bool is_signed = panel_is_signed(f);
    const int step = quads_in_16_bits(f, is_signed);
    const __m256i table = panel_table(weight);
    const long k = weight->columns, block_bytes = tk_packed_block_bytes(f);
    const uint8_t *head = panel;
    sum[0] = sum[1] = _mm256_setzero_ps();
    for (long b = 0; b < k / 32; b++, panel += block_bytes) {
        if (tk_has_head(f) && b % 8 == 0) {
            head = panel;
            panel += tk_head_bytes(f);
        }
        panel_prefetch(panel, block_bytes);
        const float factor = x->scales[(i * k + 32 * b) / 32];
#pragma clang loop unroll(full)  // shifts are constants then
        for (int g = 0; g < 32 / f.group; g++) {
            __m256i products[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()};
#pragma clang loop unroll(full)
            for (int first = g * f.group / 4; first < (g + 1) * f.group / 4; first += step) {
                __m256i high[2] = {_mm256_setzero_si256(), _mm256_setzero_si256()}, low[2] = {high[0], high[0]};
#pragma clang loop unroll(full)
                for (int quad = first; quad < first + step; quad++) {
                    const long at = i * k + 32 * b + 4 * quad;
                    for (int half = 0; half < 2; half++) {
                        const __m256i w = panel_codes(panel, half, quad, f, table);
                        high[half] = add_pairs(high[half], w, quad_at(x->high + at), is_signed);
                        low[half] = add_pairs(low[half], w, quad_at(x->low + at), is_signed);
                    }
                }
                for (int half = 0; half < 2; half++) {
                    __m256i upper = _mm256_madd_epi16(high[half], _mm256_set1_epi16(128));
                    __m256i lower = _mm256_madd_epi16(low[half], _mm256_set1_epi16(1));
                    products[half] = _mm256_add_epi32(products[half], _mm256_add_epi32(upper, lower));
                }
            }
            const int32_t *sums = x->sums + (i * k + 32 * b + g * f.group) / TK_GROUP;
            const int32_t total = f.group == 32 ? sums[0] + sums[1] : sums[0];
            const __m256i bias = _mm256_set1_epi32(is_signed ? 0 : f.bias * total);
            for (int half = 0; half < 2; half++) {
                const __m256 scaled = _mm256_mul_ps(panel_scale(head, panel, half, g, f), _mm256_set1_ps(factor));
                sum[half] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_sub_epi32(products[half], bias)), scaled, sum[half]);
                if (f.has_offsets) {
                    sum[half] = _mm256_fmadd_ps(panel_offset(head, panel, half, g, f), _mm256_set1_ps(factor * (float)total), sum[half]);
                }
            }
        }
    }
}

INLINE void panels_product(const tk_packed *weight, long first_panel, long end, const tk_quantized *x, long m, float *y,
                           long y_stride, tk_format f) {
    if (m >= ROWS_TO_OPEN) { return open_panels_product(weight, first_panel, end, x, m, y, y_stride, f); }
    for (long p = first_panel; p < end; p++) {
        const long outputs = weight->rows - p * TK_PANEL_ROWS;
        for (long i = 0; i < m; i++) {
            __m256 sum[2];
            panel_product(weight, weight->panels + p * weight->panel_bytes, x, i, f, sum);
            memcpy(y + i * y_stride + p * TK_PANEL_ROWS, sum, (size_t)(outputs < TK_PANEL_ROWS ? outputs : TK_PANEL_ROWS) * sizeof *y);
        }
    }
}

#define CASE(TYPE) case TYPE: panels_product(w, first_panel, end, x, m, y, y_stride, tk_format_of(TYPE)); break;

static void multiply_packed(const tk_packed *w, long first_panel, long end, const tk_quantized *x, long m, float *y,
                            long y_stride) {
    switch (w->type) {
        TK_PACKED_TYPES(CASE)
    default: __builtin_trap();  // a type that is not quantized, or one that the list leaves out
    }
}

static void narrow(const float *values, long n, uint16_t *halves) {
    const __m256 limit = _mm256_set1_ps(TK_LARGEST_HALF), lowest = _mm256_set1_ps(-TK_LARGEST_HALF);
    for (long i = 0; i < n; i += 8) {
        long count = n - i < 8 ? n - i : 8;
        __m256 x = _mm256_max_ps(lowest, _mm256_min_ps(limit, _mm256_maskload_ps(values + i, first_lanes(count))));
        uint16_t some[8];
        _mm_storeu_si128((__m128i *)some, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
        memcpy(halves + i, some, (size_t)count * 2);
    }
}

static bool is_supported(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c"); }

TK_MULTIPLY_FLOATS(2)

const tk_variant tk_x86_avx2 = {
    {.name = "avx2", .prefers_coarse = true, .multiply = multiply, .multiply_packed = multiply_packed, .multiply_floats = multiply_floats, .quantize = quantize,
     .weigh = weigh, .narrow = narrow, TK_ELEMENTWISE},
    is_supported,
};
#pragma clang attribute pop
#endif
