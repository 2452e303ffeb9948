// Products of floats and sums of values, against sums of doubles.
#include "support.h"

#include <math.h>
#include <string.h>

// Rows on both sides: more than two tiles of every instruction set, and no multiple of any.
enum { MOST = 9 };

enum { ORDINARY, ZEROS, DENORMALS, HUGE_NUMBERS, MIXED, CONTENTS };

// Numbers, and those where an instruction set could differ in kind.
static void fill(generator *random, int contents, bool is_second, float *values, long count) {
    switch (contents) {
    // One factor below the normal numbers and the other around one: a flush to zero would show.
    case DENORMALS: fill_floats(random, is_second ? 1 : 0x1p-127f, values, count); break;
    case HUGE_NUMBERS: fill_floats(random, 0x1p61f, values, count); break;  // a thousand products of 2^122 stay finite
    case MIXED:
        for (long i = 0; i < count; i++) { values[i] = unit(random) * (next_random(random) % 2 ? 0x1p-40f : 0x1p20f); }
        break;
    default: fill_floats(random, contents == ZEROS ? 0 : 1, values, count);
    }
}

static double exact(const float *x, const float *y, long stride, long count) {
    double sum = 0;
    for (long i = 0; i < count; i++) { sum += (double)x[i] * (double)y[i * stride]; }
    return sum;
}

// The numbers as a cache of this type holds them, in a place of their own, `odd` bytes before its end; they are rounded to it.
static const void *stored(tk_type type, float *values, long count, long odd) {
    const long bytes = tk_block_bytes(type);
    uint8_t *numbers = memory(5, count * bytes, odd);
    for (long i = 0; i < count; i++) {
        const uint16_t half = tk_to_half(values[i]);
        memcpy(numbers + i * bytes, type == TK_F16 ? (const void *)&half : values + i, (size_t)bytes);
    }
    tk_expand(type, numbers, count, values);
    return numbers;
}

static void products(const tk_kernels *kernels, int contents, tk_type type, long k) {
    generator random = {(uint64_t)(1000 * contents + k)};
    float *a = floats(0, MOST * k), *b = floats(1, MOST * k), *c = floats(2, MOST * MOST);
    fill(&random, contents, false, a, MOST * k);
    fill(&random, contents, true, b, MOST * k);
    kernels->multiply(a, k, MOST, type, stored(type, b, MOST * k, k % 2), k, MOST, k, c, MOST);
    for (long i = 0; i < MOST; i++) {
        for (long j = 0; j < MOST; j++) {
            double expected = exact(a + i * k, b + j * k, 1, k);
            double bound = sum_bound(kernels, k + 1, norm(a + i * k, k) * norm(b + j * k, k), expected);
            EXPECT(is_close(c[i * MOST + j], expected, bound),
                   "%s: multiply, contents %d, type %d, k %ld, [%ld, %ld] is %g, not %g ± %g", kernels->name, contents, type,
                   k, i, j, (double)c[i * MOST + j], expected, bound);
        }
    }
}

// Every smaller product has the bits of the whole one, with rows that stand apart on all sides, and writes nothing else.
static void company(const tk_kernels *kernels, tk_type type, long k) {
    generator random = {(uint64_t)k};
    const long stride = k + 3, c_stride = MOST + 2;
    float *a = floats(0, MOST * stride - 3), *b = floats(1, MOST * stride - 3), *whole = floats(2, MOST * MOST);
    fill_floats(&random, 1, a, MOST * stride - 3);
    fill_floats(&random, 1, b, MOST * stride - 3);
    const uint8_t *rows = stored(type, b, MOST * stride - 3, 0);
    kernels->multiply(a, stride, MOST, type, rows, stride, MOST, k, whole, MOST);
    for (long m = 0; m <= MOST; m++) {
        for (long n = 0; n <= MOST; n++) {
            float *c = floats(3, MOST * c_stride);
            // The last rows, so that a row too many would be read past the end.
            kernels->multiply(a + (MOST - m) * stride, stride, m, type, rows + (MOST - n) * stride * tk_block_bytes(type),
                              stride, n, k, c, c_stride);
            for (long i = 0; i < MOST; i++) {
                for (long j = 0; j < c_stride; j++) {
                    const float *same = whole + (i + MOST - m) * MOST + j + MOST - n;
                    bool holds = i < m && j < n ? first_difference(c + i * c_stride + j, same, 1) < 0
                                                : is_untouched(c[i * c_stride + j]);
                    EXPECT(holds, "%s: multiply, type %d, k %ld, %ld by %ld: [%ld, %ld] is %g", kernels->name, type, k, m, n,
                           i, j, (double)c[i * c_stride + j]);
                }
            }
        }
    }
}

// NaN and infinity come through, wherever in a vector they stand.
static void not_numbers(const tk_kernels *kernels, long k) {
    for (long place = 0; place < k; place++) {
        float *x = floats(0, k), *y = floats(1, k), sum;
        for (long i = 0; i < k; i++) { x[i] = y[i] = 1; }
        x[place] = NAN;
        kernels->multiply(x, k, 1, TK_F32, y, k, 1, k, &sum, 1);
        EXPECT(isnan(sum), "%s: multiply, k %ld, NaN at %ld gave %g", kernels->name, k, place, (double)sum);
        x[place] = INFINITY;
        kernels->multiply(x, k, 1, TK_F32, y, k, 1, k, &sum, 1);
        EXPECT(sum == INFINITY, "%s: multiply, k %ld, infinity at %ld gave %g", kernels->name, k, place, (double)sum);
    }
}

// Any rows give the bits that each gives alone; what is there is added to, or overwritten.
static void weigh(const tk_kernels *kernels, long m, tk_type type, long width, long n, bool adds) {
    generator random = {(uint64_t)(1000 * m + 10 * width + n)};
    const long stride = n + 3;
    float *p = floats(0, m * stride - 3), *v = floats(1, n * width), *before = floats(4, m * width);
    float *out = floats(2, m * width), *alone = floats(3, width);
    fill_floats(&random, 1, p, m * stride - 3);
    fill_floats(&random, 1, v, n * width);
    fill_floats(&random, 1, before, m * width);
    if (adds) { memcpy(out, before, (size_t)(m * width) * sizeof *out); }
    const void *rows = stored(type, v, n * width, width % 2);
    kernels->weigh(p, stride, m, type, rows, width, n, out, adds);
    for (long i = 0; i < m; i++) {
        for (long c = 0; c < width; c++) {
            double start = adds ? (double)before[i * width + c] : 0;
            double expected = start + exact(p + i * stride, v + c, width, n), sizes = fabs(start);
            for (long j = 0; j < n; j++) { sizes += fabs((double)p[i * stride + j] * (double)v[j * width + c]); }
            double bound = sum_bound(kernels, n, sizes, expected);
            EXPECT(is_close(out[i * width + c], expected, bound),
                   "%s: weigh, %ld rows, type %d, width %ld, n %ld, adds %d: [%ld, %ld] is %g, not %g ± %g", kernels->name,
                   m, type, width, n, adds, i, c, (double)out[i * width + c], expected, bound);
        }
        if (adds) { memcpy(alone, before + i * width, (size_t)width * sizeof *alone); }
        kernels->weigh(p + i * stride, stride, 1, type, rows, width, n, alone, adds);
        EXPECT(first_difference(alone, out + i * width, width) < 0,
               "%s: weigh, %ld rows, type %d, width %ld, n %ld, adds %d: row %ld alone differs", kernels->name, m, type, width, n,
               adds, i);
    }
}

void test_floats(const tk_kernels *kernels) {
    static const long longer[] = {130, 257, 1000, 127, 128, 129, 255, 256, 576};
    // All lengths with ordinary numbers; with others as many as two vectors take, as emulated vectors are slow.
    for (int contents = 0; contents < CONTENTS; contents++) {
        for (long k = 0; k <= (contents == ORDINARY ? 70 : 33); k++) { products(kernels, contents, TK_F32, k); }
        for (int i = 0; i < (contents == ORDINARY ? 9 : 3); i++) { products(kernels, contents, TK_F32, longer[i]); }
    }
    for (long k = 0; k <= 70; k++) { products(kernels, ORDINARY, TK_F16, k); }
    for (int i = 0; i < 9; i++) { products(kernels, ORDINARY, TK_F16, longer[i]); }
    static const long lengths[] = {1, 3, 4, 5, 8, 15, 16, 17, 31, 33, 64, 100, 257};
    for (int i = 0; i < 26; i++) { company(kernels, i % 2 ? TK_F16 : TK_F32, lengths[i / 2]); }
    for (int i = 0; i < 10; i++) { not_numbers(kernels, lengths[i]); }
    static const long widths[] = {1, 3, 4, 5, 8, 12, 15, 16, 17, 24, 63, 64, 65, 130};
    static const long counts[] = {0, 1, 2, 33}, rows[] = {1, 2, 3, 4, 5, 9};
    for (int i = 0; i < 6 * 14 * 4; i++) {
        weigh(kernels, rows[i / 56], TK_F32, widths[i / 4 % 14], counts[i % 4], i % 2);
        weigh(kernels, rows[i / 56], TK_F16, widths[i / 4 % 14], counts[i % 4], i % 2 == 0);
        weigh(kernels, rows[i / 56], TK_F32, widths[i / 4 % 14], counts[i % 4], i % 2 == 0);
        weigh(kernels, rows[i / 56], TK_F16, widths[i / 4 % 14], counts[i % 4], i % 2);
    }
}
