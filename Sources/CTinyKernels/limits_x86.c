// Arithmetic loops of x86-64. Sixteen (with AVX2 twelve) sums in flight hide the latency of a multiply-add.
#if defined(__x86_64__)
#include "include/tiny_limits.h"

#include <immintrin.h>

// One loop: ROUND steps the sums, and what they come to is returned so that none can be left out.
#define LOOP(NAME, TARGET, VECTOR, SUMS, START, ROUND, RESULT)                                                         \
    __attribute__((target(TARGET))) static double NAME(long rounds) {                                                  \
        VECTOR sums[SUMS];                                                                                             \
        for (int s = 0; s < SUMS; s++) { sums[s] = START; }                                                            \
        for (long i = 0; i < rounds; i++) {                                                                            \
            _Pragma("clang loop unroll(full)") for (int s = 0; s < SUMS; s++) { sums[s] = ROUND; }                     \
        }                                                                                                              \
        double total = 0;                                                                                              \
        for (int s = 0; s < SUMS; s++) { total += RESULT; }                                                            \
        return total;                                                                                                  \
    }

LOOP(avx2_fma, "avx2,fma", __m256, 12, _mm256_set1_ps((float)s),
     _mm256_fmadd_ps(sums[s], _mm256_set1_ps(0.5f), _mm256_set1_ps(1)), (double)_mm256_cvtss_f32(sums[s]))
LOOP(avx2_codes, "avx2", __m256i, 12, _mm256_set1_epi32(s),
     _mm256_add_epi16(sums[s], _mm256_maddubs_epi16(sums[s], _mm256_set1_epi8(3))), (double)_mm256_extract_epi32(sums[s], 0))
LOOP(avx512_fma, "avx512f", __m512, 16, _mm512_set1_ps((float)s),
     _mm512_fmadd_ps(sums[s], _mm512_set1_ps(0.5f), _mm512_set1_ps(1)), (double)_mm512_cvtss_f32(sums[s]))
LOOP(avx512_vnni, "avx512f,avx512vnni", __m512i, 16, _mm512_set1_epi32(s),
     _mm512_dpbusd_epi32(sums[s], _mm512_set1_epi8(3), _mm512_set1_epi8(1)), (double)_mm512_cvtsi512_si32(sums[s]))

static bool has_avx2(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
static bool has_avx512(void) { return __builtin_cpu_supports("avx512f"); }
static bool has_vnni(void) { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }

const tk_limit tk_avx2_fma = {"AVX2 float", 12 * 8 * 2, has_avx2, avx2_fma};
const tk_limit tk_avx2_codes = {"AVX2 8 bits", 12 * 32 * 2, has_avx2, avx2_codes};
const tk_limit tk_avx512_fma = {"AVX-512 float", 16 * 16 * 2, has_avx512, avx512_fma};
const tk_limit tk_avx512_vnni = {"VNNI 8 bits", 16 * 64 * 2, has_vnni, avx512_vnni};

#endif
