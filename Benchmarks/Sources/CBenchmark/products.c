// Products as the engine makes them: threads share the panels of a matrix, and each takes all rows of activations.
#include "benchmark.h"

typedef struct {
    const tk_kernels *kernels;
    const tk_packed *matrices;
    long count, panels;
    const tk_quantized *x;
    long m;
    float *y;
    int threads;
} packed_run;

static void packed_part(void *context, int part) {
    const packed_run *it = context;
    for (long i = 0; i < it->count; i++) {
        it->kernels->multiply_packed(&it->matrices[i], it->panels * part / it->threads,
                                     it->panels * (part + 1) / it->threads, it->x, it->m, it->y, it->matrices[i].rows);
    }
}

double bench_packed(const tk_kernels *kernels, const tk_packed *matrices, long count, long panels, const tk_quantized *x,
                    long m, float *y, int threads) {
    packed_run run = {kernels, matrices, count, panels, x, m, y, threads};
    return bench_team(threads, packed_part, &run);
}

typedef struct {
    const tk_kernels *kernels;
    const tk_packed *matrix;
    long panels;
    const uint16_t *rounded;
    long m;
    float *y;
    int threads;
} rounded_run;

static void rounded_part(void *context, int part) {
    const rounded_run *it = context;
    _Alignas(64) uint16_t tiles[TK_TILE_SCRATCH];
    const long pairs = (it->panels + 1) / 2;  // a tile's product takes two panels
    long first = 2 * (pairs * part / it->threads), end = 2 * (pairs * (part + 1) / it->threads);
    it->kernels->multiply_rounded(it->matrix, first, end < it->panels ? end : it->panels, it->rounded, it->m, it->y,
                                  it->matrix->rows, tiles);
}

double bench_rounded(const tk_kernels *kernels, const tk_packed *matrix, long panels, const uint16_t *rounded, long m,
                     float *y, int threads) {
    rounded_run run = {kernels, matrix, panels, rounded, m, y, threads};
    return bench_team(threads, rounded_part, &run);
}

typedef struct {
    const tk_kernels *kernels;
    const float *weights, *x;
    long n, m, k;
    float *y;
    int threads;
} float_run;

static void float_part(void *context, int part) {
    const float_run *it = context;
    long first = it->n * part / it->threads, end = it->n * (part + 1) / it->threads;
    // A few rows of weights at a time, as many as stay in the cache while all rows of activations pass.
    for (long j = first; j < end; j += 16) {
        long rows = end - j < 16 ? end - j : 16;
        it->kernels->multiply(it->x, it->k, it->m, TK_F32, it->weights + j * it->k, it->k, rows, it->k, it->y + j, it->n);
    }
}

double bench_float(const tk_kernels *kernels, const float *weights, long n, const float *x, long m, long k, float *y,
                   int threads) {
    float_run run = {kernels, weights, x, n, m, k, y, threads};
    return bench_team(threads, float_part, &run);
}
