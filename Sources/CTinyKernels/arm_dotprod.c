// The dot product of ARMv8.2: sixteen 8-bit products an instruction. The rest of this table is NEON as it always was.
#if defined(__aarch64__)
// Before the attribute: what these declare belongs to every ARMv8.
#include "arm_panel.h"
#include "elementwise.h"
#include "float_panels.h"

#define TK_LANES 4
#define TK_SIDE 4
#include "rows.h"

#if defined(__linux__)
#include <sys/auxv.h>
#endif

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

// sum + w · the lane-th four codes of x, four rows at a time. The instruction has the lane in it, so it is chosen here; the
// callers' loops are unrolled, and no choice is left.
INLINE int32x4_t add_products(int32x4_t sum, int8x16_t w, int8x16_t x, int lane) {
    switch (lane) {
    case 0: return vdotq_laneq_s32(sum, w, x, 0);
    case 1: return vdotq_laneq_s32(sum, w, x, 1);
    case 2: return vdotq_laneq_s32(sum, w, x, 2);
    default: return vdotq_laneq_s32(sum, w, x, 3);
    }
}

// The rows of `vectors` vectors, from the first-th on, by four rows of activations or one; as in x86_avx512vnni.c. `sum` is
// [rows, vectors].
INLINE void panel_product(const tk_packed *weight, const uint8_t *panel, int first, int vectors, const tk_quantized *x, long i,
                          int rows, tk_format f, float32x4_t *sum) {
    const int8x16_t table = panel_table(weight);
    const int32_t bias = panel_bias(f);
    const long k = weight->columns, block_bytes = tk_packed_block_bytes(f);
    const uint8_t *head = panel;
    for (int s = 0; s < rows * vectors; s++) { sum[s] = vdupq_n_f32(0); }
    for (long b = 0; b < k / 32; b++, panel += block_bytes) {
        if (tk_has_head(f) && b % 8 == 0) {
            head = panel;
            panel += tk_head_bytes(f);
        }
#pragma clang loop unroll(full)  // shifts are constants then
        for (int g = 0; g < 32 / f.group; g++) {
            int32x4_t high[8], low[8];
            for (int s = 0; s < rows * vectors; s++) { high[s] = low[s] = vdupq_n_s32(0); }
#pragma clang loop unroll(full)
            for (int half = g * f.group / 16; half < (g + 1) * f.group / 16; half++) {
                int8x16_t x_high[4], x_low[4];
                for (int r = 0; r < rows; r++) {
                    x_high[r] = vld1q_s8(x->high + (i + r) * k + 32 * b + 16 * half);
                    x_low[r] = vld1q_s8(x->low + (i + r) * k + 32 * b + 16 * half);
                }
#pragma clang loop unroll(full)
                for (int lane = 0; lane < 4; lane++) {
                    for (int v = 0; v < vectors; v++) {
                        int8x16_t w = panel_codes(panel, first + v, 4 * half + lane, f, table);
                        for (int r = 0; r < rows; r++) {
                            high[r * vectors + v] = add_products(high[r * vectors + v], w, x_high[r], lane);
                            low[r * vectors + v] = add_products(low[r * vectors + v], w, x_low[r], lane);
                        }
                    }
                }
            }
            for (int v = 0; v < vectors; v++) {
                float32x4_t scale = panel_scale(head, panel, first + v, g, f);
                float32x4_t offset = f.has_offsets ? panel_offset(head, panel, first + v, g, f) : vdupq_n_f32(0);
                for (int r = 0; r < rows; r++) {
                    const int s = r * vectors + v;
                    const int32_t *sums = x->sums + ((i + r) * k + 32 * b + g * f.group) / TK_GROUP;
                    int32_t total = f.group == 32 ? sums[0] + sums[1] : sums[0];
                    float factor = x->scales[((i + r) * k + 32 * b) / 32];
                    int32x4_t products = vaddq_s32(vshlq_n_s32(high[s], 7), low[s]);
                    if (bias != 0) { products = vsubq_s32(products, vdupq_n_s32(bias * total)); }
                    sum[s] = vfmaq_f32(sum[s], vcvtq_f32_s32(products), vmulq_n_f32(scale, factor));
                    if (f.has_offsets) { sum[s] = vfmaq_n_f32(sum[s], offset, factor * (float)total); }
                }
            }
        }
    }
}

// [mr, vectors] results to where they belong; the last panel may have fewer rows.
static inline void store(const float32x4_t *sum, int mr, int vectors, float *y, long y_stride, long rows) {
    for (int r = 0; r < mr; r++) {
        for (int v = 0; v < vectors && 4 * v < rows; v++) {
            long n = rows - 4 * v < 4 ? rows - 4 * v : 4;
            memcpy(y + r * y_stride + 4 * v, sum + r * vectors + v, (size_t)n * sizeof(float));
        }
    }
}

// One row of activations keeps eight accumulators over a whole panel, which is read once; four rows keep sixteen over half
// of one, as both halves would not fit the registers.
INLINE void panels_product(const tk_packed *weight, long first, long end, const tk_quantized *x, long m, float *y,
                           long y_stride, tk_format f) {
    for (long p = first; p < end; p++) {
        const uint8_t *panel = weight->panels + p * weight->panel_bytes;
        long rows = weight->rows - p * TK_PANEL_ROWS, i = 0;
        float *to = y + p * TK_PANEL_ROWS;
        float32x4_t sum[8];
        for (; i + 4 <= m; i += 4) {
            for (int v = 0; v < 4; v += 2) {
                panel_product(weight, panel, v, 2, x, i, 4, f, sum);
                store(sum, 4, 2, to + i * y_stride + 4 * v, y_stride, rows - 4 * v);
            }
        }
        for (; i < m; i++) {
            panel_product(weight, panel, 0, 4, x, i, 1, f, sum);
            store(sum, 1, 4, to + i * y_stride, y_stride, rows);
        }
    }
}

#define CASE(TYPE) case TYPE: panels_product(w, first, end, x, m, y, y_stride, tk_format_of(TYPE)); break;

static void multiply_packed(const tk_packed *w, long first, long end, const tk_quantized *x, long m, float *y,
                            long y_stride) {
    switch (w->type) {
        TK_PACKED_TYPES(CASE)
    default: __builtin_trap();  // a type that is not quantized, or one that the list leaves out
    }
}
#pragma clang attribute pop

#if defined(__APPLE__)
static bool is_supported(void) { return true; }  // since the first of their 64-bit machines, the M1
#elif defined(HWCAP_ASIMDDP)
static bool is_supported(void) { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }
#else
static bool is_supported(void) { return false; }  // no way to ask is known here
#endif

TK_MULTIPLY_FLOATS(2)

const tk_variant tk_arm_dotprod = {
    {.name = "dotprod", .multiply = multiply, .multiply_packed = multiply_packed, .multiply_floats = multiply_floats, .quantize = tk_quantize_neon,
     .weigh = weigh, .narrow = tk_narrow_neon, TK_ELEMENTWISE},
    is_supported,
};
#endif
