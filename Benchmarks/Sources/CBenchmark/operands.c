// Made-up operands. Their values do not matter to the speed, as long as they are usual numbers: subnormals would be slower
// than any model's.
#include "benchmark.h"

#include <stdlib.h>
#include <string.h>

const char *bench_type_name(tk_type type) {
    static const char *const names[TK_TYPE_COUNT] = {
        [TK_F32] = "F32", [TK_F16] = "F16", [TK_BF16] = "BF16", [TK_Q8_0] = "Q8_0", [TK_Q4_0] = "Q4_0",
        [TK_Q4_1] = "Q4_1", [TK_Q5_0] = "Q5_0", [TK_Q5_1] = "Q5_1", [TK_Q2_K] = "Q2_K", [TK_Q3_K] = "Q3_K",
        [TK_Q4_K] = "Q4_K", [TK_Q5_K] = "Q5_K", [TK_Q6_K] = "Q6_K", [TK_IQ4_NL] = "IQ4_NL", [TK_IQ4_XS] = "IQ4_XS",
        [TK_MXFP4] = "MXFP4",
    };
    return names[type];
}

static uint32_t next(uint32_t *state) { return *state = *state * 1664525u + 1013904223u; }

static void *aligned(size_t bytes) {
    void *memory = NULL;
    return posix_memalign(&memory, 64, bytes > 0 ? bytes : 1) == 0 ? memory : NULL;
}

// One panel of the type. Every byte is from 0x20 to 0x3B: wherever two of them are a half, it lies between 2⁻⁷ and 1.
static bool make_panel(const tk_packed *format, tk_type type, uint8_t *panel) {
    long k = format->columns, row_bytes = k / tk_block_elements(type) * tk_block_bytes(type);
    uint8_t *rows = aligned((size_t)(row_bytes * TK_PANEL_ROWS));
    uint32_t state = 1;
    for (long i = 0; rows && i < row_bytes * TK_PANEL_ROWS; i++) {
        rows[i] = (uint8_t)(0x20 + (next(&state) >> 16) % 28);
    }
    if (rows) { tk_pack_panel(format, rows, row_bytes, TK_PANEL_ROWS, panel); }
    bool has_memory = rows != NULL;
    free(rows);
    return has_memory;
}

tk_packed *bench_matrices(tk_type type, long rows, long columns, long count) {
    tk_packed format = tk_packed_format(type, rows, columns);
    long panels = (rows + TK_PANEL_ROWS - 1) / TK_PANEL_ROWS;
    tk_packed *matrices = calloc((size_t)count, sizeof *matrices);
    uint8_t *memory = aligned((size_t)(count * panels * format.panel_bytes));
    if (!matrices || !memory || !make_panel(&format, type, memory)) {
        free(matrices);
        free(memory);
        return NULL;
    }
    for (long p = 1; p < count * panels; p++) {
        memcpy(memory + p * format.panel_bytes, memory, (size_t)format.panel_bytes);
    }
    for (long i = 0; i < count; i++) {
        matrices[i] = format;
        matrices[i].panels = memory + i * panels * format.panel_bytes;
    }
    return matrices;
}

void bench_free_matrices(tk_packed *matrices) {
    if (matrices) { free((void *)(uintptr_t)matrices[0].panels); }
    free(matrices);
}

float *bench_floats(long count) {
    float *values = aligned((size_t)count * sizeof *values);
    uint32_t state = 2;
    for (long i = 0; values && i < count; i++) { values[i] = (float)(int32_t)next(&state) * 0x1p-31f; }
    return values;
}

bool bench_quantized(const tk_kernels *kernels, const float *x, long m, long k, tk_quantized *out) {
    size_t n = (size_t)(m * k);
    int8_t *memory = aligned(2 * n + n / 32 * sizeof(float) + n / TK_GROUP * sizeof(int32_t));
    if (!memory) { return false; }
    out->high = memory;
    out->low = memory + n;
    out->scales = (float *)(void *)(memory + 2 * n);
    out->sums = (int32_t *)(void *)(memory + 2 * n + n / 32 * sizeof(float));
    tk_quantize_rows(kernels, x, 0, m, k, out);
    return true;
}

uint16_t *bench_rounded_rows(const tk_kernels *kernels, const float *x, long m, long k) {
    if (!kernels->round_rows) { return NULL; }
    uint16_t *rounded = aligned((size_t)((m + 15) / 16 * 16 * k) * sizeof *rounded);
    if (rounded) { kernels->round_rows(x, 0, m, m, k, rounded); }
    return rounded;
}
