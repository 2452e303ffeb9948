// The machine's limits, on several threads.
#include "benchmark.h"

typedef struct {
    const uint8_t *memory;
    long lines;
    int threads;
    volatile uint64_t sink;
} read_run;

static void read_part(void *context, int part) {
    read_run *it = context;
    const long first = it->lines * part / it->threads, end = it->lines * (part + 1) / it->threads;
    it->sink = tk_read_memory(it->memory + first * 64, (end - first) * 64);
}

double bench_read(const void *memory, long bytes, int threads) {
    read_run run = {memory, bytes / 64, threads, 0};
    return bench_team(threads, read_part, &run);
}

typedef struct {
    const tk_limit *limit;
    long rounds;
    volatile double sink;
} limit_run;

static void limit_part(void *context, int part) {
    (void)part;
    limit_run *it = context;
    it->sink = it->limit->run(it->rounds);
}

double bench_run_limit(const tk_limit *limit, long rounds, int threads) {
    limit_run run = {limit, rounds, 0};
    return bench_team(threads, limit_part, &run);
}
