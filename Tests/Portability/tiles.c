// Products for prompts, in tiles of bf16, against sums of doubles; the bounds are those of TileKernelTests.swift.
#include "support.h"

#include <math.h>
#include <string.h>

enum { MOST_TOKENS = 65 };

static matrix weights;

static long panels_of(const matrix *matrix) { return (matrix->packed.rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS; }

// Rows of activations by some panels, rounded in two goes, over NaN.
static void multiply(const tk_kernels *kernels, const float *x, long m, long first, long end, float *y, long stride) {
    const long k = weights.packed.columns, bytes = (m + 15) / 16 * 16 * k * 2, middle = m / 2 / 16 * 16;
    const long tile_bytes = TK_TILE_SCRATCH * 2;
    uint16_t *rounded = memory(1, bytes, 0), *tiles = memory(2, tile_bytes, 0);
    memset(rounded, 0xFF, (size_t)bytes);
    memset(tiles, 0xFF, (size_t)tile_bytes);
    kernels->round_rows(x, 0, middle, m, k, rounded);
    kernels->round_rows(x, middle, m, m, k, rounded);
    kernels->multiply_rounded(&weights.packed, first, end, rounded, m, y, stride, tiles);
}

static void each_value(const tk_kernels *kernels, tk_type type, long rows, long columns, long m) {
    make_matrix(&weights, type, rows, columns, (uint64_t)(type + 100 * columns));
    generator random = {(uint64_t)columns};
    float *x = floats(3, m * columns), *y = floats(4, m * rows);
    fill_floats(&random, 1, x, m * columns);
    multiply(kernels, x, m, 0, panels_of(&weights), y, rows);
    for (long t = 0; t < m; t++) {
        for (long r = 0; r < rows; r++) {
            double expected = 0, size = 0;
            for (long i = 0; i < columns; i++) {
                double product = (double)x[t * columns + i] * weights.weights[r * columns + i];
                expected += product;
                size += fabs(product);
            }
            // Both factors are off by 2⁻⁹ at most; sums are in single precision.
            double bound = (2 * 0x1p-9 + 0x1p-15 + gamma_of(columns)) * size + 1e-38 * (double)columns;
            EXPECT(is_close(y[t * rows + r], expected, bound), "%s: tiles, type %d, [%ld, %ld] of %ld columns is %g, not %g ± %g",
                   kernels->name, type, t, r, columns, (double)y[t * rows + r], expected, bound);
        }
    }
}

// Any number of rows, any share of the panels, and rows that stand apart: the same bits, and nothing else written.
static void company(const tk_kernels *kernels, tk_type type) {
    enum { ROWS = 50, COLUMNS = LONGEST, STRIDE = ROWS + 3 };
    make_matrix(&weights, type, ROWS, COLUMNS, 21);
    generator random = {22};
    float *x = floats(3, MOST_TOKENS * COLUMNS), *all = floats(4, MOST_TOKENS * ROWS);
    fill_floats(&random, 1, x, MOST_TOKENS * COLUMNS);
    multiply(kernels, x, MOST_TOKENS, 0, panels_of(&weights), all, ROWS);
    static const long counts[] = {1, 2, 15, 16, 17, 31, 32, 33, 48, 64, 65};
    static const struct { long first, end; } shares[] = {{0, 4}, {1, 4}, {0, 1}, {1, 3}, {3, 4}, {2, 2}};
    for (int c = 0; c < 11 * 6; c++) {
        const long m = counts[c / 6], first = shares[c % 6].first, end = shares[c % 6].end, skipped = MOST_TOKENS - m;
        float *y = floats(5, m * STRIDE - 3);
        multiply(kernels, x + skipped * COLUMNS, m, first, end, y, STRIDE);
        for (long i = 0; i < m * STRIDE - 3; i++) {
            const long t = i / STRIDE, r = i % STRIDE;
            bool is_result = r < ROWS && r >= first * TK_PANEL_ROWS && r < end * TK_PANEL_ROWS;
            bool holds = is_result ? first_difference(y + i, all + (t + skipped) * ROWS + r, 1) < 0 : is_untouched(y[i]);
            EXPECT(holds, "%s: tiles, type %d, %ld rows of activations, panels %ld to %ld: [%ld, %ld] is %g", kernels->name,
                   type, m, first, end, t, r, (double)y[i]);
        }
    }
}

// In its row alone.
static void not_numbers(const tk_kernels *kernels, float bad, long place) {
    make_matrix(&weights, TK_Q8_0, 16, 256, 3);
    float *x = floats(3, 2 * 256), *y = floats(4, 2 * 16);
    for (long i = 0; i < 2 * 256; i++) { x[i] = i == 256 + place ? bad : 1; }
    multiply(kernels, x, 2, 0, 1, y, 16);
    for (long i = 0; i < 2 * 16; i++) {
        EXPECT(isfinite(y[i]) == (i < 16), "%s: tiles, %g at %ld: [%ld, %ld] is %g", kernels->name, (double)bad, place, i / 16,
               i % 16, (double)y[i]);
    }
}

void test_tiles(const tk_kernels *kernels) {
    static const struct { long rows, columns, m; } sizes[] = {{37, 512, 5}, {16, 1280, 33}, {50, LONGEST, 18}, {1, 256, 1},
                                                              {48, 256, 64}};
    for (tk_type type = TK_Q8_0; type < TK_TYPE_COUNT; type++) {
        for (int i = 0; i < 5; i++) { each_value(kernels, type, sizes[i].rows, sizes[i].columns, sizes[i].m); }
        company(kernels, type);
    }
    static const long places[] = {0, 31, 32, 255};
    for (int i = 0; i < 4; i++) { not_numbers(kernels, NAN, places[i]), not_numbers(kernels, INFINITY, places[i]); }
}
