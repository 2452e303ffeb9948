// AVX-512 (F, BW, VL) with VNNI: sixteen floats, or sixty-four 8-bit products, an instruction.
#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,fma"))), apply_to = function)
#include "kernels.h"

#include <immintrin.h>

static inline __mmask16 first(long n) { return (__mmask16)((1u << n) - 1); }

static float dot(const float *x, const float *y, long n) {
    __m512 sum = _mm512_setzero_ps();
    long i = 0;
    for (; i + 16 <= n; i += 16) { sum = _mm512_fmadd_ps(_mm512_loadu_ps(x + i), _mm512_loadu_ps(y + i), sum); }
    if (i < n) {
        __mmask16 mask = first(n - i);
        sum = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, y + i), sum);
    }
    return _mm512_reduce_add_ps(sum);
}

// A tile of MR rows of a and NR rows of b, one accumulator a pair, lanes along k: a pair's sum has the same order in
// every tile. Constant bounds unroll; the loops over r and s leave no trace in the code.
#define TILE(NAME, MR, NR)                                                                                             \
    static void NAME(const float *a, long a_stride, const float *b, long b_stride, long k, float *c, long c_stride) {  \
        __m512 sum[MR][NR];                                                                                            \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NR; s++) { sum[r][s] = _mm512_setzero_ps(); }                                          \
        }                                                                                                              \
        for (long i = 0; i < k; i += 16) {                                                                             \
            __mmask16 mask = k - i < 16 ? first(k - i) : (__mmask16)0xFFFF;                                            \
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

// A code is split into high · 128 + low, two numbers of 8 bits: all the high ones of a row stand first, then the low.
static void quantize(const float *values, long k, const tk_quantized *out) {
    int8_t *high = (int8_t *)out->codes, *low = high + k;
    for (long g = 0; g < k / TK_GROUP; g++) {
        __m512 x = _mm512_loadu_ps(values + g * TK_GROUP);
        float largest = _mm512_reduce_max_ps(_mm512_abs_ps(x));
        float scale = largest > 0x1p-100f ? largest / TK_LARGEST_CODE : 0, inverse = scale > 0 ? 1 / scale : 0;
        __m512i code = _mm512_cvtps_epi32(_mm512_mul_ps(x, _mm512_set1_ps(inverse)));
        __m512i upper = _mm512_srai_epi32(_mm512_add_epi32(code, _mm512_set1_epi32(64)), 7);
        __m512i lower = _mm512_sub_epi32(code, _mm512_slli_epi32(upper, 7));
        _mm_storeu_si128((__m128i *)(high + g * TK_GROUP), _mm512_cvtepi32_epi8(upper));
        _mm_storeu_si128((__m128i *)(low + g * TK_GROUP), _mm512_cvtepi32_epi8(lower));
        out->scales[g] = scale;
        out->sums[g] = scale * (float)_mm512_reduce_add_epi32(code);
    }
}

// `vpdpbusd` multiplies unsigned by signed: the weights are raised by 128, and 128 times the activations taken off again.
static float dot_codes(const tk_unpacked *weight, const tk_quantized *activation, long k) {
    const __m512i bias = _mm512_set1_epi8((char)0x80), zero = _mm512_setzero_si512();
    const __m512i spread = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
    const int8_t *high = (const int8_t *)activation->codes, *low = high + k;
    __m512 sum = _mm512_setzero_ps();
    __m128 offset_sum = _mm_setzero_ps();
    for (long i = 0; i < k; i += 64) {
        long groups = (k - i) / TK_GROUP, g = i / TK_GROUP;
        __mmask64 mask = groups < 4 ? (1ull << groups * TK_GROUP) - 1 : ~0ull;
        __mmask8 group_mask = (__mmask8)(groups < 4 ? (1u << groups) - 1 : 15);
        __m512i raised = _mm512_xor_si512(_mm512_maskz_loadu_epi8(mask, weight->codes + i), bias);
        __m512i upper = _mm512_maskz_loadu_epi8(mask, high + i), lower = _mm512_maskz_loadu_epi8(mask, low + i);
        __m512i uppers = _mm512_sub_epi32(_mm512_dpbusd_epi32(zero, raised, upper), _mm512_dpbusd_epi32(zero, bias, upper));
        __m512i lowers = _mm512_sub_epi32(_mm512_dpbusd_epi32(zero, raised, lower), _mm512_dpbusd_epi32(zero, bias, lower));
        __m512i products = _mm512_add_epi32(_mm512_slli_epi32(uppers, 7), lowers);
        __m128 scale = _mm_mul_ps(_mm_maskz_loadu_ps(group_mask, weight->scales + g),
                                  _mm_maskz_loadu_ps(group_mask, activation->scales + g));
        __m512 lanes = _mm512_permutexvar_ps(spread, _mm512_castps128_ps512(scale));
        sum = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products), lanes, sum);
        offset_sum = _mm_fmadd_ps(_mm_maskz_loadu_ps(group_mask, weight->offsets + g),
                                  _mm_maskz_loadu_ps(group_mask, activation->sums + g), offset_sum);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(sum, _mm512_zextps128_ps512(offset_sum)));
}

static void add_scaled(float *y, float a, const float *x, long n) {
    __m512 factor = _mm512_set1_ps(a);
    for (long i = 0; i < n; i += 16) {
        __mmask16 mask = n - i < 16 ? first(n - i) : (__mmask16)0xFFFF;
        __m512 sum = _mm512_fmadd_ps(factor, _mm512_maskz_loadu_ps(mask, x + i), _mm512_maskz_loadu_ps(mask, y + i));
        _mm512_mask_storeu_ps(y + i, mask, sum);
    }
}

static bool is_supported(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

const tk_variant tk_x86_avx512vnni = {
    {"avx512vnni", multiply, dot_codes, quantize, add_scaled, dot},
    is_supported,
};
#pragma clang attribute pop
#endif
