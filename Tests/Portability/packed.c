// Rounded activations, and their products with packed weights of every element type.
#include "support.h"

#include <math.h>
#include <string.h>

enum { MOST_TOKENS = 17 };

void make_matrix(matrix *matrix, tk_type type, long rows, long columns, uint64_t seed) {
    static uint8_t blocks[MOST_ROWS * LONGEST * 2];
    static int8_t codes[TK_PANEL_ROWS * LONGEST];
    static float scales[TK_PANEL_ROWS * LONGEST / TK_GROUP], offsets[TK_PANEL_ROWS * LONGEST / TK_GROUP];
    generator random = {seed};
    const long row_bytes = columns / tk_block_elements(type) * tk_block_bytes(type);
    fill_blocks(&random, type, blocks + 1, rows * columns / tk_block_elements(type));
    tk_packed packed = tk_packed_format(type, rows, columns);
    const long panels = (rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
    // At an odd address and with a byte to spare, as the kernels may not rely on either.
    uint8_t *memory_of_panels = memory(0, panels * packed.panel_bytes, 1);
    for (long p = 0; p < panels; p++) {
        const long first = p * TK_PANEL_ROWS, count = rows - first < TK_PANEL_ROWS ? rows - first : TK_PANEL_ROWS;
        tk_pack_panel(&packed, blocks + 1 + first * row_bytes, row_bytes, count, memory_of_panels + p * packed.panel_bytes);
    }
    packed.panels = memory_of_panels;
    matrix->packed = packed;
    for (long r = 0; r < rows; r++) {
        tk_unpack(type, blocks + 1 + r * row_bytes, columns, codes, scales, offsets);
        for (long i = 0; i < columns; i++) {
            double product = (double)scales[i / TK_GROUP] * codes[i], offset = (double)offsets[i / TK_GROUP];
            matrix->weights[r * columns + i] = product + offset;
            matrix->sizes[r * columns + i] = fabs(product) + fabs(offset);
        }
    }
}

// Codes at odd addresses, each array up to the end of its memory.
static tk_quantized rounded(const tk_kernels *kernels, const float *x, long m, long k, bool is_coarse) {
    tk_quantized rows = {
        memory(1, m * k, 1), memory(2, m * k, 0), floats(3, m * k / 32), memory(4, m * k / TK_GROUP * 4, 0),
        is_coarse,
    };
    tk_quantize_rows(kernels, x, 0, m, k, &rows);
    return rows;
}

static long code_at(const tk_quantized *x, long i) { return x->high[i] * 128 + x->low[i]; }

static void quantize(const tk_kernels *kernels, float size, long k) {
    generator random = {(uint64_t)k};
    float *values = floats(5, 3 * k);
    fill_floats(&random, size, values, 3 * k);
    values[k] = values[k + 1] = 0;
    tk_quantized x = rounded(kernels, values, 3, k, false);
    int8_t *high = memory(6, 3 * k, 0), *low = memory(7, 3 * k, 0);
    float *scales = floats(8, 3 * k / 32);
    int32_t *sums = memory(9, 3 * k / TK_GROUP * 4, 0);
    plain_kernels()->quantize(values, 3 * k, high, low, scales, sums);
    bool same_codes = memcmp(x.high, high, (size_t)(3 * k)) == 0 && memcmp(x.low, low, (size_t)(3 * k)) == 0;
    bool same_sums = memcmp(x.sums, sums, (size_t)(3 * k / TK_GROUP * 4)) == 0;
    EXPECT(same_codes && same_sums && first_difference(x.scales, scales, 3 * k / 32) < 0,
           "%s: quantize, size %g, k %ld differs from plain", kernels->name, (double)size, k);
    for (long i = 0; i < 3 * k; i++) {
        const float scale = x.scales[i / 32];
        EXPECT(x.high[i] >= -127 && x.low[i] >= -64 && x.low[i] <= 63, "%s: quantize, code %ld is %d and %d",
               kernels->name, i, x.high[i], x.low[i]);
        // Half a step, and the roundings of the scale, its inverse and the product.
        double bound = (double)scale * (0.5 + TK_LARGEST_CODE * gamma_of(5)), largest = 0;
        for (long j = i / 32 * 32; j < i / 32 * 32 + 32; j++) { largest = fmax(largest, fabs((double)values[j])); }
        if (largest <= 0x1p-100) { bound = largest; }
        const double error = (double)code_at(&x, i) * (double)scale - (double)values[i];
        EXPECT(fabs(error) <= bound,
               "%s: quantize, size %g, value %ld is %g, its code %ld", kernels->name, (double)size, i, (double)values[i],
               code_at(&x, i));
    }
    for (long g = 0; g < 3 * k / TK_GROUP; g++) {
        long sum = 0;
        for (long i = g * TK_GROUP; i < (g + 1) * TK_GROUP; i++) { sum += code_at(&x, i); }
        EXPECT(x.sums[g] == sum, "%s: quantize, sum %ld is %d, not %ld", kernels->name, g, x.sums[g], sum);
    }
}

// Against sums of doubles over the same codes, so that only the product's own roundings are left. A group, of
// sixteen at least, brings two of them to the sum, and has three of its own.
static void products(const tk_kernels *kernels, const matrix *matrix, const tk_quantized *x, long m, const float *y,
                     const char *what) {
    const long rows = matrix->packed.rows, k = matrix->packed.columns;
    for (long t = 0; t < m; t++) {
        double values[LONGEST];
        for (long i = 0; i < k; i++) { values[i] = (double)x->scales[(t * k + i) / 32] * (double)code_at(x, t * k + i); }
        for (long r = 0; r < rows; r++) {
            double expected = 0, size = 0;
            for (long i = 0; i < k; i++) {
                if (values[i] == 0) { continue; }  // most are, one input at a time, and emulated doubles are slow
                expected += values[i] * matrix->weights[r * k + i];
                size += fabs(values[i]) * matrix->sizes[r * k + i];
            }
            double bound = sum_bound(kernels, 2 * k / TK_GROUP + 3, size, expected);
            EXPECT(is_close(y[t * rows + r], expected, bound), "%s: %s, [%ld, %ld] of %ld columns is %g, not %g ± %g",
                   kernels->name, what, t, r, k, (double)y[t * rows + r], expected, bound);
        }
    }
}

static void multiply(const tk_kernels *kernels, const matrix *matrix, const tk_quantized *x, long m, float *y) {
    const tk_packed *w = &matrix->packed;
    kernels->multiply_packed(w, 0, (w->rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS, x, m, y, w->rows);
}

// Ordinary activations, zeros, very small and very large ones; one input at a time shows each weight by itself.
static void each_value(const tk_kernels *kernels, tk_type type, long rows, long columns) {
    static matrix matrix;
    make_matrix(&matrix, type, rows, columns, (uint64_t)(type + 100 * columns));
    static const float sizes[] = {1, 0, 0x1p-80f, 0x1p100f, 0x1p-130f};
    generator random = {7};
    for (int s = 0; s < 5; s++) {
        float *x = floats(5, 5 * columns), *y = floats(6, 5 * rows);
        fill_floats(&random, sizes[s], x, 5 * columns);
        for (int is_coarse = 0; is_coarse < 2; is_coarse++) {
            tk_quantized codes = rounded(kernels, x, 5, columns, is_coarse);
            multiply(kernels, &matrix, &codes, 5, y);
            products(kernels, &matrix, &codes, 5, y, is_coarse ? "coarse activations" : "random activations");
        }
    }
    for (long first = 0; first < columns && columns == 256; first += 8) {
        float *x = floats(5, 8 * columns), *y = floats(6, 8 * rows);
        memset(x, 0, (size_t)(8 * columns) * sizeof *x);
        // The largest code makes the scale a power of two.
        for (long t = 0; t < 8; t++) { x[t * columns + first + t] = (t % 2 ? -1 : 1) * TK_LARGEST_CODE * 0x1p-10f; }
        tk_quantized codes = rounded(kernels, x, 8, columns, false);
        multiply(kernels, &matrix, &codes, 8, y);
        products(kernels, &matrix, &codes, 8, y, "one input at a time");
    }
}

// Any number of rows, any share of the panels, and rows that stand apart: the same bits, and nothing else written.
static void company(const tk_kernels *kernels, tk_type type, long rows, long columns, bool is_coarse) {
    static matrix matrix;
    make_matrix(&matrix, type, rows, columns, 21);
    generator random = {(uint64_t)rows};
    float *x = floats(5, MOST_TOKENS * columns), *all = floats(6, MOST_TOKENS * rows);
    fill_floats(&random, 1, x, MOST_TOKENS * columns);
    // Some blocks are so large that coarse activations keep their lower halves there.
    for (long i = 0; i < MOST_TOKENS * columns; i++) { x[i] *= i / 32 % 5 == 2 ? 100 : 1; }
    tk_quantized codes = rounded(kernels, x, MOST_TOKENS, columns, is_coarse);
    multiply(kernels, &matrix, &codes, MOST_TOKENS, all);
    static const long counts[] = {0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17};
    const long stride = rows + 3, panels = (rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
    for (int c = 0; c < 13; c++) {
        const long m = counts[c], from = c % panels, end = c % 2 ? panels : from + 1;
        // The last rows of activations, so that a row too many would be read past the end.
        const long skipped = MOST_TOKENS - m;
        tk_quantized some = {
            codes.high + skipped * columns,
            codes.low + skipped * columns,
            codes.scales + skipped * columns / 32,
            codes.sums + skipped * columns / TK_GROUP,
            is_coarse,
        };
        float *y = floats(7, MOST_TOKENS * stride);
        kernels->multiply_packed(&matrix.packed, from, end, &some, m, y, stride);
        for (long i = 0; i < MOST_TOKENS * stride; i++) {
            const long t = i / stride, r = i % stride;
            bool is_result = t < m && r < rows && r >= from * TK_PANEL_ROWS && r < end * TK_PANEL_ROWS;
            bool holds = is_result ? first_difference(y + i, all + (t + skipped) * rows + r, 1) < 0 : is_untouched(y[i]);
            EXPECT(holds, "%s: type %d, %ld rows of activations, panels %ld to %ld: [%ld, %ld] is %g", kernels->name,
                   type, m, from, end, t, r, (double)y[i]);
        }
    }
}

// What is no number must not become one that looks right.
static void not_numbers(const tk_kernels *kernels, tk_type type) {
    static matrix matrix;
    make_matrix(&matrix, type, 16, 256, 3);
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    static const long places[] = {0, 3, 4, 15, 16, 31, 32, 255};
    for (int i = 0; i < 4 * 8; i++) {
        float *x = floats(5, 256), *y = floats(6, 16);
        for (long j = 0; j < 256; j++) { x[j] = 1; }
        x[places[i / 4]] = bad[i % 4];
        tk_quantized codes = rounded(kernels, x, 1, 256, false);
        multiply(kernels, &matrix, &codes, 1, y);
        for (long r = 0; r < 16; r++) {
            EXPECT(!isfinite(y[r]), "%s: type %d, %g at %ld gave %g", kernels->name, type, (double)bad[i % 4],
                   places[i / 4], (double)y[r]);
        }
    }
}

void test_packed(const tk_kernels *kernels) {
    static const float sizes[] = {0, 1, 0x1p-80f, 0x1p-99f, 0x1p-101f, 0x1p100f, 0x1p-130f};
    static const long lengths[] = {32, 64, 96, 160, 576};
    for (int i = 0; i < 7 * 5; i++) { quantize(kernels, sizes[i / 5], lengths[i % 5]); }
    for (tk_type type = TK_Q8_0; type < TK_TYPE_COUNT; type++) {
        static const long columns[] = {32, 64, 96, 256, 512, 1056};
        for (int i = 0; i < 6; i++) {
            if (columns[i] % tk_block_elements(type) == 0) { each_value(kernels, type, 19, columns[i]); }
        }
        static const long rows[] = {1, 7, 16, 37, 50};
        for (int i = 0; i < 5; i++) { company(kernels, type, rows[i], rows[i] == 37 ? 512 : 256, i % 2); }
        not_numbers(kernels, type);
    }
}
