// AVX2 with FMA: eight floats, or sixteen 16-bit products, an instruction.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#include "kernels.h"

#include <immintrin.h>

// The first n of eight lanes.
static inline __m256i first(long n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

static inline float reduce(__m256 x) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

static float dot(const float *x, const float *y, long n) {
    __m256 sum = _mm256_setzero_ps();
    long i = 0;
    for (; i + 8 <= n; i += 8) { sum = _mm256_fmadd_ps(_mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i), sum); }
    if (i < n) {
        __m256i mask = first(n - i);
        sum = _mm256_fmadd_ps(_mm256_maskload_ps(x + i, mask), _mm256_maskload_ps(y + i, mask), sum);
    }
    return reduce(sum);
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

static float dot_codes(const tk_unpacked *weight, const tk_quantized *activation, long k) {
    __m256 sum = _mm256_setzero_ps();
    float offset_sum = 0;
    for (long g = 0; g < k / TK_GROUP; g++) {
        __m256i w = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(weight->codes + g * TK_GROUP)));
        __m256i x = _mm256_loadu_si256((const __m256i *)(activation->codes + g * TK_GROUP));
        __m256 scale = _mm256_set1_ps(weight->scales[g] * activation->scales[g]);
        sum = _mm256_fmadd_ps(_mm256_cvtepi32_ps(_mm256_madd_epi16(w, x)), scale, sum);
        offset_sum += weight->offsets[g] * activation->sums[g];
    }
    return reduce(sum) + offset_sum;
}

static void add_scaled(float *y, float a, const float *x, long n) {
    __m256 factor = _mm256_set1_ps(a);
    long i = 0;
    for (; i + 8 <= n; i += 8) {
        _mm256_storeu_ps(y + i, _mm256_fmadd_ps(factor, _mm256_loadu_ps(x + i), _mm256_loadu_ps(y + i)));
    }
    if (i < n) {
        __m256i mask = first(n - i);
        __m256 sum = _mm256_fmadd_ps(factor, _mm256_maskload_ps(x + i, mask), _mm256_maskload_ps(y + i, mask));
        _mm256_maskstore_ps(y + i, mask, sum);
    }
}

static bool is_supported(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

const tk_variant tk_x86_avx2 = {
    {"avx2", multiply, dot_codes, tk_quantize_plain, add_scaled, dot},
    is_supported,
};
#pragma clang attribute pop
#endif
