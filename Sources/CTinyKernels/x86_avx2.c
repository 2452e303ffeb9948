// AVX2 with FMA and F16C: eight floats, or sixteen 16-bit products, an instruction.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "elementwise.h"
#include "float_panels.h"
#include "x86_avx2_panel.h"

#define TK_LANES 8
#define TK_SIDE 2
#include "rows.h"

// The first n of eight lanes.
static inline __m256i first(long n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
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

// Half a panel, eight rows, by four rows of activations or one; as in x86_avx512vnni.c.
INLINE void panel_product(const tk_packed *weight, const uint8_t *panel, int half, const tk_quantized *x, long i, int rows,
                          tk_format f, __m256 *sum) {
    // Two products of weights of eight unsigned bits would not fit sixteen.
    const bool is_signed = f.low_bits == 8 || f.has_table;
    const int step = quads_in_16_bits(f, is_signed);
    const __m256i table = _mm256_xor_si256(
        _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)weight->table)), _mm256_set1_epi8((char)0x80));
    const long k = weight->columns, block_bytes = tk_packed_block_bytes(f);
    __m256 d = _mm256_setzero_ps(), m = d;
    for (int r = 0; r < rows; r++) { sum[r] = _mm256_setzero_ps(); }
    for (long b = 0; b < k / 32; b++, panel += block_bytes) {
        if (tk_has_head(f) && b % 8 == 0) {
            d = panel_halves(panel + 16 * half);
            if (f.has_offsets) { m = panel_halves(panel + 2 * TK_PANEL_ROWS + 16 * half); }
            panel += tk_head_bytes(f);
        }
        if (half == 0) { panel_prefetch(panel, block_bytes); }  // the other half finds all in the cache
#pragma clang loop unroll(full)  // shifts are constants then
        for (int g = 0; g < 32 / f.group; g++) {
            __m256i products[4];
            for (int r = 0; r < rows; r++) { products[r] = _mm256_setzero_si256(); }
#pragma clang loop unroll(full)
            for (int first = g * f.group / 4; first < (g + 1) * f.group / 4; first += step) {
                __m256i high[4], low[4];
                for (int r = 0; r < rows; r++) { high[r] = low[r] = _mm256_setzero_si256(); }
#pragma clang loop unroll(full)
                for (int quad = first; quad < first + step; quad++) {
                    __m256i w = panel_codes(panel, half, quad, f, table);
                    for (int r = 0; r < rows; r++) {
                        long at = (i + r) * k + 32 * b + 4 * quad;
                        high[r] = add_pairs(high[r], w, quad_at(x->high + at), is_signed);
                        low[r] = add_pairs(low[r], w, quad_at(x->low + at), is_signed);
                    }
                }
                for (int r = 0; r < rows; r++) {
                    __m256i upper = _mm256_madd_epi16(high[r], _mm256_set1_epi16(128));
                    __m256i lower = _mm256_madd_epi16(low[r], _mm256_set1_epi16(1));
                    products[r] = _mm256_add_epi32(products[r], _mm256_add_epi32(upper, lower));
                }
            }
            __m256 scale = panel_scale(panel, half, g, f, d);
            __m256 offset = f.has_offsets ? panel_offset(panel, half, g, f, m) : _mm256_setzero_ps();
            for (int r = 0; r < rows; r++) {
                const int32_t *sums = x->sums + ((i + r) * k + 32 * b + g * f.group) / TK_GROUP;
                int32_t total = f.group == 32 ? sums[0] + sums[1] : sums[0];
                float factor = x->scales[((i + r) * k + 32 * b) / 32];
                if (!is_signed && f.bias != 0) {
                    products[r] = _mm256_sub_epi32(products[r], _mm256_set1_epi32(f.bias * total));
                }
                __m256 scaled = _mm256_mul_ps(scale, _mm256_set1_ps(factor));
                sum[r] = _mm256_fmadd_ps(_mm256_cvtepi32_ps(products[r]), scaled, sum[r]);
                if (f.has_offsets) { sum[r] = _mm256_fmadd_ps(offset, _mm256_set1_ps(factor * (float)total), sum[r]); }
            }
        }
    }
}

INLINE void panels_product(const tk_packed *weight, long first_panel, long end, const tk_quantized *x, long m, float *y,
                           long y_stride, tk_format f) {
    for (long j = 2 * first_panel; j < 2 * end && 8 * j < weight->rows; j++) {
        const uint8_t *panel = weight->panels + j / 2 * weight->panel_bytes;
        __m256i mask = first(weight->rows - 8 * j);
        __m256 sum[4];
        for (long i = 0; i < m;) {
            int rows = m - i >= 4 ? 4 : 1;
            if (rows == 4) {
                panel_product(weight, panel, j % 2, x, i, 4, f, sum);
            } else {
                panel_product(weight, panel, j % 2, x, i, 1, f, sum);
            }
            for (int r = 0; r < rows; r++) { _mm256_maskstore_ps(y + (i + r) * y_stride + 8 * j, mask, sum[r]); }
            i += rows;
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
        __m256 x = _mm256_max_ps(lowest, _mm256_min_ps(limit, _mm256_maskload_ps(values + i, first(count))));
        uint16_t some[8];
        _mm_storeu_si128((__m128i *)some, _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
        memcpy(halves + i, some, (size_t)count * 2);
    }
}

static bool is_supported(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
           __builtin_cpu_supports("f16c"); }

TK_MULTIPLY_FLOATS(2)

const tk_variant tk_x86_avx2 = {
    {.name = "avx2", .multiply = multiply, .multiply_packed = multiply_packed, .multiply_floats = multiply_floats, .quantize = tk_quantize_plain,
     .weigh = weigh, .narrow = narrow, TK_ELEMENTWISE},
    is_supported,
};
#pragma clang attribute pop
#endif
