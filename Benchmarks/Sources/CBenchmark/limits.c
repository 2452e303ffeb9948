// What the machine can do at most: reading memory, and arithmetic that waits for nothing.
#include "benchmark.h"

typedef struct {
    const uint8_t *memory;
    long lines;
    int threads;
    volatile uint64_t sink;
} read_run;

typedef uint64_t line __attribute__((vector_size(64)));

static void read_part(void *context, int part) {
    read_run *it = context;
    const line *from = (const line *)(const void *)it->memory + it->lines * part / it->threads;
    const line *end = (const line *)(const void *)it->memory + it->lines * (part + 1) / it->threads;
    line sums[2] = {{0}, {0}};
    for (; from + 2 <= end; from += 2) {
        __builtin_prefetch(from + 32);
        __builtin_prefetch(from + 33);
        sums[0] ^= from[0];
        sums[1] ^= from[1];
    }
    it->sink = sums[0][0] ^ sums[1][7];
}

double bench_read(const void *memory, long bytes, int threads) {
    read_run run = {memory, bytes / (long)sizeof(line), threads, 0};
    return bench_team(threads, read_part, &run);
}

typedef struct {
    const bench_limit *limit;
    long rounds;
    volatile double sink;
} limit_run;

static void limit_part(void *context, int part) {
    (void)part;
    limit_run *it = context;
    it->sink = it->limit->run(it->rounds);
}

double bench_run_limit(const bench_limit *limit, long rounds, int threads) {
    limit_run run = {limit, rounds, 0};
    return bench_team(threads, limit_part, &run);
}

#if defined(__x86_64__)
extern const bench_limit bench_avx2_fma, bench_avx512_fma, bench_avx512_vnni, bench_amx_bf16, bench_amx_int8;
#endif

const bench_limit *bench_limit_at(int index) {
    static const bench_limit *const limits[] = {
#if defined(__x86_64__)
        &bench_avx2_fma, &bench_avx512_fma, &bench_avx512_vnni, &bench_amx_bf16, &bench_amx_int8,
#endif
        NULL,
    };
    return index < (int)(sizeof limits / sizeof limits[0]) ? limits[index] : NULL;
}
