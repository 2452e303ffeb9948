// Kernels that record: each calls the real one. Bytes are those a kernel asks for, wherever they come from; operations are
// the formulas beside it, a multiplication and an addition counting as two, e^x and its like as one.
#include "recorder.h"

#define RECORD(SPAN, TYPE, ROWS, COLUMNS, CALL, CALLS, BYTES, OPERATIONS)                                              \
    do {                                                                                                               \
        const tk_kernels *real = tk_here->kernels;                                                                     \
        tk_record_kernel_begin(SPAN, TYPE, ROWS, COLUMNS);                                                             \
        real->CALL;                                                                                                    \
        tk_record_kernel_end(CALLS, (double)(BYTES), (double)(OPERATIONS));                                            \
    } while (0)

// Those without a matrix.
#define RECORD_ROWS(SPAN, CALL, BYTES, OPERATIONS) RECORD(SPAN, 0, 0, 0, CALL, 1, BYTES, OPERATIONS)

// --- Products: 2 · T · rows · columns, for as many of the rows as there are here. ---

// The last panel may be filled up with rows that are none.
static long rows_of(const tk_packed *weight, long first, long end) {
    long last = end * TK_PANEL_ROWS < weight->rows ? end * TK_PANEL_ROWS : weight->rows;
    return last - first * TK_PANEL_ROWS;
}

// Of a share of the rows: packed weights, results, and as much of the activations.
static double packed_bytes(const tk_packed *weight, long first, long end, long m, double activation_bytes) {
    const double rows = (double)rows_of(weight, first, end), all = (double)weight->rows;
    return (double)((end - first) * weight->panel_bytes) + 4 * (double)m * rows
           + (double)m * (double)weight->columns * activation_bytes * rows / all;
}

#define RECORD_PACKED(SPAN, CALL, ACTIVATION_BYTES)                                                                    \
    RECORD(SPAN, w->type, w->rows, w->columns, CALL, (double)rows_of(w, first, end) / (double)w->rows,                 \
           packed_bytes(w, first, end, m, ACTIVATION_BYTES),                                                           \
           2.0 * (double)m * (double)rows_of(w, first, end) * (double)w->columns)

// Codes of two bytes, with a scale of 32 and a sum of 16 inputs.
static const double code_bytes = 2 + 4.0 / 32 + 4.0 / TK_GROUP;

static void multiply_packed(const tk_packed *w, long first, long end, const tk_quantized *x, long m, float *y, long stride) {
    RECORD_PACKED(TK_SPAN_MATMUL, multiply_packed(w, first, end, x, m, y, stride), code_bytes);
}
static void multiply_floats(const tk_packed *w, long first, long end, const float *x, long m, float *y, long stride) {
    RECORD_PACKED(TK_SPAN_MATMUL, multiply_floats(w, first, end, x, m, y, stride), 4);
}
static void multiply_rounded(const tk_packed *w, long first, long end, const uint16_t *x, long m, float *y, long stride,
                             uint16_t *tiles) {
    RECORD_PACKED(TK_SPAN_TILES, multiply_rounded(w, first, end, x, m, y, stride, tiles), 2);
}
// Two products; what is between them counts among their time.
static void multiply_gated(const tk_packed *w, const tk_packed *up, long first, long end, const uint16_t *x, long m,
                           tk_activation f, uint16_t *hidden, uint16_t *tiles) {
    const double part = (double)rows_of(w, first, end) / (double)w->rows, numbers = (double)m * (double)rows_of(w, first, end);
    RECORD(TK_SPAN_TILES, w->type, w->rows, w->columns, multiply_gated(w, up, first, end, x, m, f, hidden, tiles), 2 * part,
           2 * (double)((end - first) * w->panel_bytes) + 2 * numbers + 2 * part * (double)m * (double)w->columns,
           4 * numbers * (double)w->columns);
}
// Results lie side by side, so that their stride is the matrix' number of rows.
static void product_floats(const tk_kernels *kernels, tk_type type, const uint8_t *weights, long row_bytes, long n, long k,
                           const float *x, long m, float *y, long stride, float *panel, long panel_rows) {
    (void)kernels;
    const double part = (double)n / (double)stride;
    RECORD(TK_SPAN_MATMUL, type, stride, k,
           product_floats(real, type, weights, row_bytes, n, k, x, m, y, stride, panel, panel_rows), part,
           (double)(n * row_bytes) + 4 * (double)m * ((double)n + (double)k * part),
           2.0 * (double)m * (double)n * (double)k);
}

// --- Activations for products: scaled, rounded, split. ---

static void quantize_rows(const tk_kernels *kernels, const float *x, long first, long end, long k, const tk_quantized *out) {
    (void)kernels;
    RECORD_ROWS(TK_SPAN_ROUNDING, quantize_rows(real, x, first, end, k, out),
                (double)((end - first) * k) * (4 + code_bytes), 3 * (end - first) * k);
}
static void round_rows(const float *x, long first, long end, long m, long k, uint16_t *rounded) {
    RECORD_ROWS(TK_SPAN_ROUNDING, round_rows(x, first, end, m, k, rounded), 6 * (end - first) * k, (end - first) * k);
}

// --- Attention: 4 · d for each query and each token that it sees. ---

// Tokens that all rows see together, and those that any of them sees.
static double seen(const long *firsts, const long *counts, long m, long *any) {
    double all = 0;
    long first = firsts[0], end = counts[0];
    for (long i = 0; i < m; i++) {
        all += (double)(counts[i] - firsts[i]);
        first = firsts[i] < first ? firsts[i] : first;
        end = counts[i] > end ? counts[i] : end;
    }
    *any = end - first;
    return all;
}

static void attend(const tk_kernels *kernels, const float *queries, long m, tk_type type, const void *keys,
                   const void *values, const long *firsts, const long *counts, long width, float scale,
                   const tk_score_terms *terms, float *scratch, float *out) {
    (void)kernels;
    long any;
    const double all = seen(firsts, counts, m, &any);
    RECORD_ROWS(TK_SPAN_SCORES,
                attend(real, queries, m, type, keys, values, firsts, counts, width, scale, terms, scratch, out),
                2 * any * width * tk_block_bytes(type) + 8 * m * width, 4 * all * (double)width);
}
static void attend_packed(const float *queries, long m, const uint16_t *keys, const uint16_t *values, const long *firsts,
                          const long *counts, long width, float scale, const tk_score_terms *terms, float *scratch,
                          float *out) {
    long any;
    const double all = seen(firsts, counts, m, &any);
    // Keys have two numbers of 16 bits for each of theirs, values one.
    RECORD_ROWS(TK_SPAN_SCORES,
                attend_packed(queries, m, keys, values, firsts, counts, width, scale, terms, scratch, out),
                any * ((width + 31) / 32 * 128 + (width + 15) / 16 * 32) + 8 * m * width, 4 * all * (double)width);
}
static void pack_tokens(tk_type type, const void *keys, const void *values, long first, long end, long width,
                        uint16_t *packed_keys, uint16_t *packed_values) {
    const long n = end - first;
    RECORD_ROWS(TK_SPAN_CACHE, pack_tokens(type, keys, values, first, end, width, packed_keys, packed_values),
                n * (2 * width * tk_block_bytes(type) + (width + 31) / 32 * 128 + (width + 15) / 16 * 32), 0);
}
static void narrow(const float *values, long n, uint16_t *halves) {
    RECORD_ROWS(TK_SPAN_CACHE, narrow(values, n, halves), 6 * n, n);
}

// --- Rows, n numbers each. ---

static void rms_norm(float *y, const float *x, const float *weight, float epsilon, long n) {
    RECORD_ROWS(TK_SPAN_NORM, rms_norm(y, x, weight, epsilon, n), 12 * n, 4 * n);
}
static void layer_norm(float *y, const float *x, const float *weight, const float *bias, float epsilon, long n) {
    RECORD_ROWS(TK_SPAN_NORM, layer_norm(y, x, weight, bias, epsilon, n), (bias ? 16 : 12) * n, (bias ? 8 : 7) * n);
}
static void add(float *x, const float *y, long n) { RECORD_ROWS(TK_SPAN_ADDITION, add(x, y, n), 12 * n, n); }
static void scale(float *x, float factor, long n) { RECORD_ROWS(TK_SPAN_ADDITION, scale(x, factor, n), 8 * n, n); }
static void softmax(float *x, long n) { RECORD_ROWS(TK_SPAN_SOFTMAX, softmax(x, n), 8 * n, 5 * n); }
static void activate(tk_activation f, float *x, long n) {
    RECORD_ROWS(TK_SPAN_ACTIVATION, activate(f, x, n), 8 * n, 4 * n);
}
static void activate_gated(tk_activation f, float *x, const float *y, long n) {
    RECORD_ROWS(TK_SPAN_ACTIVATION, activate_gated(f, x, y, n), 12 * n, 5 * n);
}
static void cap(float *x, float limit, long n) { RECORD_ROWS(TK_SPAN_CAP, cap(x, limit, n), 8 * n, 3 * n); }
static void clamp(float *x, float *y, float limit, long n) {
    RECORD_ROWS(TK_SPAN_ACTIVATION, clamp(x, y, limit, n), 16 * n, 4 * n);
}
// Two numbers, a cosine and a sine; four products and two sums.
static void rotate_halves(float *head, const float *cosines, const float *sines, long pairs) {
    RECORD_ROWS(TK_SPAN_ROTATION, rotate_halves(head, cosines, sines, pairs), 24 * pairs, 6 * pairs);
}
static void rotate_neighbours(float *head, const float *cosines, const float *sines, long pairs) {
    RECORD_ROWS(TK_SPAN_ROTATION, rotate_neighbours(head, cosines, sines, pairs), 24 * pairs, 6 * pairs);
}

tk_kernels tk_recording(const tk_kernels *real) {
    tk_kernels it = *real;  // what only other kernels call stays as it is
    it.multiply_packed = multiply_packed;
    it.multiply_floats = multiply_floats;
    it.product_floats = product_floats;
    it.quantize_rows = quantize_rows;
    it.attend = attend;
    it.narrow = narrow;
    it.rms_norm = rms_norm;
    it.layer_norm = layer_norm;
    it.add = add;
    it.scale = scale;
    it.softmax = softmax;
    it.activate = activate;
    it.activate_gated = activate_gated;
    it.cap = cap;
    it.clamp = clamp;
    it.rotate_halves = rotate_halves;
    it.rotate_neighbours = rotate_neighbours;
    // Whether these are there says how prompts are read.
    if (real->round_rows) { it.round_rows = round_rows; }
    if (real->multiply_rounded) { it.multiply_rounded = multiply_rounded; }
    if (real->multiply_gated) { it.multiply_gated = multiply_gated; }
    if (real->pack_tokens) { it.pack_tokens = pack_tokens; }
    if (real->attend_packed) { it.attend_packed = attend_packed; }
    return it;
}
