// Reading memory, and arithmetic in vectors of sixteen bytes, which every processor has.
#include "include/tiny_limits.h"

typedef uint64_t line __attribute__((vector_size(64)));

uint64_t tk_read_memory(const void *memory, long bytes) {
    const line *from = memory, *end = from + bytes / (long)sizeof(line);
    line sums[2] = {{0}, {0}};
    for (; from + 2 <= end; from += 2) {
        __builtin_prefetch(from + 32);
        __builtin_prefetch(from + 33);
        sums[0] ^= from[0];
        sums[1] ^= from[1];
    }
    const line all = sums[0] ^ sums[1];
    uint64_t sum = 0;
    for (int i = 0; i < 8; i++) { sum ^= all[i]; }
    return sum;
}

void tk_same_work(long steps) {
    uint64_t state = 1;
    for (long i = 0; i < steps; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        __asm__ volatile("" : "+r"(state));  // no step is left out
    }
}

typedef float four __attribute__((vector_size(16)));

// Twelve sums in flight, which hides the latency of a multiplication and an addition.
static double plain(long rounds) {
    enum { SUMS = 12 };
    four sums[SUMS];
    for (int s = 0; s < SUMS; s++) { sums[s] = (four){(float)s, 1, 2, 3}; }
    for (long i = 0; i < rounds; i++) {
        _Pragma("clang loop unroll(full)") for (int s = 0; s < SUMS; s++) { sums[s] = sums[s] * 0.5f + 1.0f; }
    }
    double total = 0;
    for (int s = 0; s < SUMS; s++) { total += (double)sums[s][0]; }
    return total;
}

static bool always(void) { return true; }

static const tk_limit sixteen_bytes = {"float, 16 bytes", 12 * 4 * 2, always, plain};

#if defined(__x86_64__)
extern const tk_limit tk_avx2_fma, tk_avx2_codes, tk_avx512_fma, tk_avx512_vnni, tk_amx_bf16, tk_amx_int8;
#endif

const tk_limit *tk_limit_at(int index) {
    static const tk_limit *const limits[] = {
        &sixteen_bytes,
#if defined(__x86_64__)
        &tk_avx2_fma, &tk_avx2_codes, &tk_avx512_fma, &tk_avx512_vnni, &tk_amx_bf16, &tk_amx_int8,
#endif
    };
    return index < (int)(sizeof limits / sizeof limits[0]) ? limits[index] : NULL;
}
