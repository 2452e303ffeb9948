// AVX2 with FMA and F16C: eight floats, or sixteen 16-bit products, an instruction.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "elementwise.h"
#include "float_panels.h"
#include "x86_avx2_panel.h"

// The first n of eight lanes.
static inline __m256i first(long n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline float reduce(__m256 x) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

// As in x86_avx512vnni.c, with eight lanes and a tile that sixteen registers hold.
#define TILE(NAME, MR, NR)                                                                                             \
    static void NAME(const float *a, long a_stride, const float *b, long b_stride, long k, float *c, long c_stride) {  \
        __m256 sum[MR][NR];                                                                                            \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NR; s++) { sum[r][s] = _mm256_setzero_ps(); }                                          \
        }                                                                                                              \
        long whole = k & ~7l;                                                                                          \
        for (long i = 0; i < whole; i += 8) {                                                                          \
            __m256 y[NR];                                                                                              \
            for (int s = 0; s < NR; s++) { y[s] = _mm256_loadu_ps(b + s * b_stride + i); }                             \
            for (int r = 0; r < MR; r++) {                                                                             \
                __m256 x = _mm256_loadu_ps(a + r * a_stride + i);                                                      \
                for (int s = 0; s < NR; s++) { sum[r][s] = _mm256_fmadd_ps(x, y[s], sum[r][s]); }                      \
            }                                                                                                          \
        }                                                                                                              \
        __m256i rest = first(k - whole);                                                                               \
        for (int r = 0; r < MR; r++) {                                                                                 \
            __m256 x = _mm256_maskload_ps(a + r * a_stride + whole, rest);                                             \
            for (int s = 0; s < NR; s++) {                                                                             \
                __m256 y = _mm256_maskload_ps(b + s * b_stride + whole, rest);                                         \
                c[r * c_stride + s] = reduce(_mm256_fmadd_ps(x, y, sum[r][s]));                                        \
            }                                                                                                          \
        }                                                                                                              \
    }
TILE(tile_4x2, 4, 2)
TILE(tile_4x1, 4, 1)
TILE(tile_1x2, 1, 2)
TILE(tile_1x1, 1, 1)

static void multiply(const float *a, long a_stride, long m, const float *b, long b_stride, long n, long k, float *c,
                     long c_stride) {
    long i = 0;
    for (; i + 4 <= m; i += 4) {
        const float *rows = a + i * a_stride;
        long j = 0;
        for (; j + 2 <= n; j += 2) {
            tile_4x2(rows, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride);
        }
        for (; j < n; j++) { tile_4x1(rows, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride); }
    }
    for (; i < m; i++) {
        const float *row = a + i * a_stride;
        long j = 0;
        for (; j + 2 <= n; j += 2) {
            tile_1x2(row, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride);
        }
        for (; j < n; j++) { tile_1x1(row, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride); }
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

// As in x86_avx512vnni.c, with eight lanes.
#define WEIGH(NAME, MR, NC)                                                                                            \
    static void NAME(const float *p, long p_stride, const float *v, long width, long n, float *out, bool adds,       \
                     __m256i mask) {                                                                                   \
        __m256 sum[MR][NC];                                                                                            \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NC; s++) { sum[r][s] = adds ? _mm256_maskload_ps(out + r * width + 8 * s, mask) : _mm256_setzero_ps(); }\
        }                                                                                                              \
        for (long j = 0; j < n; j++) {                                                                                 \
            __m256 x[NC];                                                                                              \
            for (int s = 0; s < NC; s++) { x[s] = _mm256_maskload_ps(v + j * width + 8 * s, mask); }                   \
            for (int r = 0; r < MR; r++) {                                                                             \
                __m256 factor = _mm256_set1_ps(p[r * p_stride + j]);                                                   \
                for (int s = 0; s < NC; s++) { sum[r][s] = _mm256_fmadd_ps(factor, x[s], sum[r][s]); }                 \
            }                                                                                                          \
        }                                                                                                              \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NC; s++) { _mm256_maskstore_ps(out + r * width + 8 * s, mask, sum[r][s]); }            \
        }                                                                                                              \
    }
WEIGH(weigh_4x2, 4, 2)
WEIGH(weigh_1x2, 1, 2)
WEIGH(weigh_1x1, 1, 1)

static void weigh(const float *p, long p_stride, long m, const float *v, long width, long n, float *out, bool adds) {
    const __m256i all = _mm256_set1_epi32(-1);
    long c = 0;
    for (; c + 16 <= width; c += 16) {
        long i = 0;
        for (; i + 4 <= m; i += 4) { weigh_4x2(p + i * p_stride, p_stride, v + c, width, n, out + i * width + c, adds, all); }
        for (; i < m; i++) { weigh_1x2(p + i * p_stride, p_stride, v + c, width, n, out + i * width + c, adds, all); }
    }
    for (; c < width; c += 8) {
        __m256i mask = first(width - c);
        for (long i = 0; i < m; i++) { weigh_1x1(p + i * p_stride, p_stride, v + c, width, n, out + i * width + c, adds, mask); }
    }
}

static void widen(const uint16_t *halves, long n, float *values) {
    long i = 0;
    for (; i + 8 <= n; i += 8) {
        _mm256_storeu_ps(values + i, _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(halves + i))));
    }
    for (; i < n; i++) { values[i] = _cvtsh_ss(halves[i]); }
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
     .weigh = weigh, .widen = widen, .narrow = narrow, TK_ELEMENTWISE},
    is_supported,
};
#pragma clang attribute pop
#endif
