// Rows of floats by rows of floats or halves, which are read as they are: their products, and sums of rows. Loops that an
// instruction set's file includes, in the compiler's own vectors, so that they become that set's instructions.
//
// The file says first how many floats a vector has, TK_LANES, and TK_SIDE, four or two: four rows of as many vectors are what
// sums take of the registers.
#ifndef TINY_ROWS_H
#define TINY_ROWS_H

#include "kernels.h"

typedef float tk_vector __attribute__((vector_size(4 * TK_LANES)));
typedef _Float16 tk_half_vector __attribute__((vector_size(2 * TK_LANES)));

// Bytes that are asked for before they are read: rows mostly stand one after the other, and behind the last there is nothing
// to lose.
enum { TK_AHEAD = 4096 };

// The first `count` of a vector's numbers, zeros behind them; nothing behind them is touched.
INLINE tk_vector load_vector(tk_type type, const uint8_t *from, long count) {
    if (type == TK_F16) {
        tk_half_vector halves = {0};
        memcpy(&halves, from, (size_t)count * sizeof(_Float16));
        return __builtin_convertvector(halves, tk_vector);
    }
    tk_vector floats = {0};
    memcpy(&floats, from, (size_t)count * sizeof(float));
    return floats;
}

// Of a and b one after the other, every other unit: the first of them or the second. Single numbers stay within their four
// lanes, as instructions have it.
INLINE tk_vector every_other(tk_vector a, tk_vector b, int unit, int second) {
    const int group = unit == 1 ? 4 : TK_LANES;
    tk_vector chosen;
#pragma clang loop unroll(full)
    for (int i = 0; i < TK_LANES; i++) {
        const int place = i % (group / 2), lane = i / group * group + (place / unit * 2 + second) * unit + place % unit;
        chosen[i] = i % group < group / 2 ? a[lane] : b[lane];
    }
    return chosen;
}

// `count` vectors to one by adding up neighbours. All of TK_LANES come to the sum of each; `done` of them may have been
// brought to one before, in each of the vectors.
INLINE tk_vector folded(tk_vector *x, int count, int done) {
#pragma clang loop unroll(full)
    for (int left = count; left > 1; left /= 2) {
        const int unit = count / left * done < 4 ? 1 : 4;
#pragma clang loop unroll(full)
        for (int i = 0; i < left / 2; i++) {
            x[i] = every_other(x[2 * i], x[2 * i + 1], unit, 0) + every_other(x[2 * i], x[2 * i + 1], unit, 1);
        }
    }
    return x[0];
}

// `rows` rows of a by `side` of b, from the i-th number of each on.
INLINE void multiply_step(tk_type type, const float *a, long a_stride, int rows, const uint8_t *const *b, int side, long i,
                          long count, tk_vector (*sums)[4]) {
    const long size = tk_float_bytes(type);
    for (long at = 0; at < side * TK_LANES * size; at += 64) { __builtin_prefetch(b[0] + side * i * size + at + TK_AHEAD); }
    tk_vector y[4];
    for (int s = 0; s < side; s++) { y[s] = load_vector(type, b[s] + i * size, count); }
    for (int r = 0; r < rows; r++) {
        const tk_vector x = load_vector(TK_F32, (const uint8_t *)(a + r * a_stride + i), count);
        for (int s = 0; s < side; s++) { sums[r][s] += x * y[s]; }
    }
}

// At most four rows of a by at most TK_LANES of b. A pair's sum has the same order wherever it stands.
INLINE void multiply_tile(tk_type type, const float *a, long a_stride, int rows, const uint8_t *b, long b_bytes, long n, long k,
                          float *c, long c_stride) {
    const int side = rows <= 2 ? 4 : TK_SIDE;
    tk_vector parts[4][TK_LANES / TK_SIDE] = {0};
    for (int g = 0; g < TK_LANES / side && g * side < n; g++) {
        const uint8_t *rows_of_b[4];
        // What is behind the last row is the last row again, and is not stored.
        for (int s = 0; s < side; s++) { rows_of_b[s] = b + (g * side + s < n ? g * side + s : n - 1) * b_bytes; }
        tk_vector sums[4][4] = {0};
        long i = 0;
        for (; i + TK_LANES <= k; i += TK_LANES) { multiply_step(type, a, a_stride, rows, rows_of_b, side, i, TK_LANES, sums); }
        if (i < k) { multiply_step(type, a, a_stride, rows, rows_of_b, side, i, k - i, sums); }
        for (int r = 0; r < rows; r++) { parts[r][g] = folded(sums[r], side, 1); }
    }
    for (int r = 0; r < rows; r++) {
        const tk_vector products = folded(parts[r], TK_LANES / side, side);
        memcpy(c + r * c_stride, &products, (size_t)(n < TK_LANES ? n : TK_LANES) * sizeof(float));
    }
}

INLINE void multiply_rows(tk_type type, const float *a, long a_stride, int rows, const uint8_t *b, long b_bytes, long n, long k,
                          float *c, long c_stride) {
    long j = 0;
    for (; j + TK_LANES <= n; j += TK_LANES) {
        multiply_tile(type, a, a_stride, rows, b + j * b_bytes, b_bytes, TK_LANES, k, c + j, c_stride);
    }
    if (j < n) { multiply_tile(type, a, a_stride, rows, b + j * b_bytes, b_bytes, n - j, k, c + j, c_stride); }
}

// At most four rows of p by `vectors` vectors of columns, of which the last has `count`; a column's sum runs over j in order.
INLINE void weigh_tile(tk_type type, const float *p, long p_stride, int rows, const uint8_t *v, long width, long n, float *out,
                       bool adds, int vectors, long count) {
    const long size = tk_float_bytes(type);
    tk_vector sums[4][TK_SIDE] = {0};
    for (int r = 0; adds && r < rows; r++) {
        for (int s = 0; s < vectors; s++) {
            sums[r][s] = load_vector(TK_F32, (const uint8_t *)(out + r * width + s * TK_LANES), count);
        }
    }
    for (long j = 0; j < n; j++, v += width * size) {
        for (long at = 0; at < vectors * TK_LANES * size; at += 64) { __builtin_prefetch(v + at + TK_AHEAD); }
        tk_vector x[TK_SIDE];
        for (int s = 0; s < vectors; s++) { x[s] = load_vector(type, v + s * TK_LANES * size, count); }
        for (int r = 0; r < rows; r++) {
            for (int s = 0; s < vectors; s++) { sums[r][s] += x[s] * p[r * p_stride + j]; }
        }
    }
    for (int r = 0; r < rows; r++) {
        for (int s = 0; s < vectors; s++) {
            memcpy(out + r * width + s * TK_LANES, &sums[r][s], (size_t)count * sizeof(float));
        }
    }
}

INLINE void weigh_rows(tk_type type, const float *p, long p_stride, int rows, const uint8_t *v, long width, long n, float *out,
                       bool adds) {
    const long size = tk_float_bytes(type);
    long c = 0;
    for (; c + TK_SIDE * TK_LANES <= width; c += TK_SIDE * TK_LANES) {
        weigh_tile(type, p, p_stride, rows, v + c * size, width, n, out + c, adds, TK_SIDE, TK_LANES);
    }
    for (; c + TK_LANES <= width; c += TK_LANES) {
        weigh_tile(type, p, p_stride, rows, v + c * size, width, n, out + c, adds, 1, TK_LANES);
    }
    if (c < width) { weigh_tile(type, p, p_stride, rows, v + c * size, width, n, out + c, adds, 1, width - c); }
}

// CALL with four rows at a time as `rows`, which is constant, from the i-th on, and with those that are left.
#define BY_FOUR_ROWS(M, CALL)                                                                                          \
    for (long i = 0; i < (M); i += 4) {                                                                                \
        switch ((M) - i) {                                                                                             \
        case 1: { enum { rows = 1 }; CALL; break; }                                                                    \
        case 2: { enum { rows = 2 }; CALL; break; }                                                                    \
        case 3: { enum { rows = 3 }; CALL; break; }                                                                    \
        default: { enum { rows = 4 }; CALL; }                                                                          \
        }                                                                                                              \
    }

static void multiply(const float *a, long a_stride, long m, tk_type type, const void *b, long b_stride, long n, long k,
                     float *c, long c_stride) {
    if (type == TK_F16) {
        BY_FOUR_ROWS(m, multiply_rows(TK_F16, a + i * a_stride, a_stride, rows, b, b_stride * 2, n, k, c + i * c_stride, c_stride))
    } else {
        BY_FOUR_ROWS(m, multiply_rows(TK_F32, a + i * a_stride, a_stride, rows, b, b_stride * 4, n, k, c + i * c_stride, c_stride))
    }
}

static void weigh(const float *p, long p_stride, long m, tk_type type, const void *v, long width, long n, float *out, bool adds) {
    if (type == TK_F16) {
        BY_FOUR_ROWS(m, weigh_rows(TK_F16, p + i * p_stride, p_stride, rows, v, width, n, out + i * width, adds))
    } else {
        BY_FOUR_ROWS(m, weigh_rows(TK_F32, p + i * p_stride, p_stride, rows, v, width, n, out + i * width, adds))
    }
}

#endif
