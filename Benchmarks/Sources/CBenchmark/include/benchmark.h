// What the benchmarks need in C: made-up operands, and threads that start together.
#ifndef TINY_BENCHMARK_H
#define TINY_BENCHMARK_H

#include "tiny_kernels.h"
#include "tiny_limits.h"

// --- Operands (operands.c). The same bytes in every run; NULL or false where there is no memory for them. ---

const char *bench_type_name(tk_type type);

// `count` packed matrices of equal shape, one after the other in memory that begins with the first's panels.
tk_packed *bench_matrices(tk_type type, long rows, long columns, long count);
void bench_free_matrices(tk_packed *matrices);

// Floats from −1 to 1.
float *bench_floats(long count);
// m rows of k such floats, quantized by `kernels`. The memory is one piece that begins at `high`.
bool bench_quantized(const tk_kernels *kernels, const float *x, long m, long k, tk_quantized *out);
// The same, rounded for the kernels that multiply in tiles; NULL where there are none.
uint16_t *bench_rounded_rows(const tk_kernels *kernels, const float *x, long m, long k);

// --- Runs on several threads (team.c, products.c, limits.c). Each returns the seconds from the common start to the last
// end, so that what starting threads costs does not count. ---

double bench_team(int threads, void (*body)(void *context, int part), void *context);

// y = x · weightᵀ with `count` matrices one after the other, the threads sharing the first `panels` panels of each. The
// kernel alone: nobody waits between matrices.
double bench_packed(const tk_kernels *kernels, const tk_packed *matrices, long count, long panels, const tk_quantized *x,
                    long m, float *y, int threads);
// The same with the kernels that multiply in tiles, for one matrix; x is `rounded` by them.
double bench_rounded(const tk_kernels *kernels, const tk_packed *matrix, long panels, const uint16_t *rounded, long m,
                     float *y, int threads);
// The same with n rows of float weights.
double bench_float(const tk_kernels *kernels, const float *weights, long n, const float *x, long m, long k, float *y,
                   int threads);

// Reading memory, each thread a part of its own.
double bench_read(const void *memory, long bytes, int threads);

// One of the limits of tiny_limits.h.
double bench_run_limit(const tk_limit *limit, long rounds, int threads);

#endif
