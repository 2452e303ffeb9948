// Products with weights that are floats or halves, read as they are: a loop that every instruction set's file includes, in
// the compiler's own vectors, so that it becomes that set's instructions.
#ifndef TINY_FLOAT_PANELS_H
#define TINY_FLOAT_PANELS_H

#include "kernels.h"

// One input of the sixteen rows of a panel.
typedef float tk_lanes __attribute__((vector_size(4 * TK_PANEL_ROWS)));
typedef uint32_t tk_words __attribute__((vector_size(4 * TK_PANEL_ROWS)));
typedef uint16_t tk_shorts __attribute__((vector_size(2 * TK_PANEL_ROWS)));
typedef _Float16 tk_halves __attribute__((vector_size(2 * TK_PANEL_ROWS)));

INLINE void load_lanes(tk_type type, const uint8_t *from, tk_lanes *lanes) {
    tk_shorts shorts;
    tk_halves halves;
    switch (type) {
    case TK_F16: memcpy(&halves, from, sizeof halves); *lanes = __builtin_convertvector(halves, tk_lanes); break;
    case TK_BF16: memcpy(&shorts, from, sizeof shorts); *lanes = (tk_lanes)(__builtin_convertvector(shorts, tk_words) << 16); break;
    default: memcpy(lanes, from, sizeof *lanes);
    }
}

// One panel by `rows` rows of activations. Inputs are added up in two chains, even and odd ones, however many rows there are.
INLINE void float_panel_product(tk_type type, const uint8_t *panel, const float *x, long k, int rows, float *y, long y_stride,
                                long outputs) {
    const long bytes = TK_PANEL_ROWS * tk_float_bytes(type);
    tk_lanes even[8], odd[8];
    for (int r = 0; r < rows; r++) { even[r] = odd[r] = (tk_lanes){0}; }
    for (long i = 0; i < k; i += 2, panel += 2 * bytes) {
        __builtin_prefetch(panel + 3072);
        tk_lanes first, second;
        load_lanes(type, panel, &first);
        load_lanes(type, panel + bytes, &second);
        for (int r = 0; r < rows; r++) {
            even[r] += first * x[r * k + i];
            odd[r] += second * x[r * k + i + 1];
        }
    }
    for (int r = 0; r < rows; r++) {
        tk_lanes sum = even[r] + odd[r];
        memcpy(y + r * y_stride, &sum, (size_t)outputs * sizeof(float));
    }
}

// `most` rows of activations are what the registers hold.
INLINE void float_panels_product(tk_type type, const tk_packed *w, long first, long end, const float *x, long m, float *y,
                                 long y_stride, int most) {
    for (long p = first; p < end; p++) {
        const uint8_t *panel = w->panels + p * w->panel_bytes;
        long left = w->rows - p * TK_PANEL_ROWS, outputs = left < TK_PANEL_ROWS ? left : TK_PANEL_ROWS;
        long i = 0;
        for (; i + most <= m; i += most) {
            float_panel_product(type, panel, x + i * w->columns, w->columns, most, y + i * y_stride + p * TK_PANEL_ROWS,
                                y_stride, outputs);
        }
        for (; i + most / 2 <= m; i += most / 2) {
            float_panel_product(type, panel, x + i * w->columns, w->columns, most / 2, y + i * y_stride + p * TK_PANEL_ROWS,
                                y_stride, outputs);
        }
        for (; i < m; i++) {
            float_panel_product(type, panel, x + i * w->columns, w->columns, 1, y + i * y_stride + p * TK_PANEL_ROWS, y_stride,
                                outputs);
        }
    }
}

#define TK_MULTIPLY_FLOATS(MOST)                                                                                       \
    static void multiply_floats(const tk_packed *w, long first, long end, const float *x, long m, float *y, long y_stride) { \
        switch (w->type) {                                                                                             \
        case TK_F16: float_panels_product(TK_F16, w, first, end, x, m, y, y_stride, MOST); break;                      \
        case TK_BF16: float_panels_product(TK_BF16, w, first, end, x, m, y, y_stride, MOST); break;                    \
        default: float_panels_product(TK_F32, w, first, end, x, m, y, y_stride, MOST);                                 \
        }                                                                                                              \
    }

#endif
