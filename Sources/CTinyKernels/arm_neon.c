// NEON as every ARMv8 has it: four floats an instruction. What needs no more than that, for the tables of instruction sets
// that have more.
#if defined(__aarch64__)
#include "kernels.h"

#include <arm_neon.h>

// The first n of four floats, zeros after them; nothing past them is touched.
static inline float32x4_t load_first(const float *from, long n) {
    float lanes[4] = {0};
    memcpy(lanes, from, (size_t)n * sizeof(float));
    return vld1q_f32(lanes);
}

static inline void store_first(float *to, float32x4_t x, long n) {
    float lanes[4];
    vst1q_f32(lanes, x);
    memcpy(to, lanes, (size_t)n * sizeof(float));
}

// As in x86_avx512vnni.c, with four lanes: sixteen accumulators, which leaves half the registers to what is loaded.
#define TILE(NAME, MR, NR)                                                                                             \
    static void NAME(const float *a, long a_stride, const float *b, long b_stride, long k, float *c, long c_stride) {  \
        float32x4_t sum[MR][NR];                                                                                       \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NR; s++) { sum[r][s] = vdupq_n_f32(0); }                                               \
        }                                                                                                              \
        long whole = k & ~3l;                                                                                          \
        for (long i = 0; i < whole; i += 4) {                                                                          \
            float32x4_t y[NR];                                                                                         \
            for (int s = 0; s < NR; s++) { y[s] = vld1q_f32(b + s * b_stride + i); }                                   \
            for (int r = 0; r < MR; r++) {                                                                             \
                float32x4_t x = vld1q_f32(a + r * a_stride + i);                                                       \
                for (int s = 0; s < NR; s++) { sum[r][s] = vfmaq_f32(sum[r][s], x, y[s]); }                            \
            }                                                                                                          \
        }                                                                                                              \
        if (whole < k) {                                                                                               \
            for (int r = 0; r < MR; r++) {                                                                             \
                float32x4_t x = load_first(a + r * a_stride + whole, k - whole);                                       \
                for (int s = 0; s < NR; s++) {                                                                         \
                    sum[r][s] = vfmaq_f32(sum[r][s], x, load_first(b + s * b_stride + whole, k - whole));              \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NR; s++) { c[r * c_stride + s] = vaddvq_f32(sum[r][s]); }                              \
        }                                                                                                              \
    }
TILE(tile_4x4, 4, 4)
TILE(tile_4x1, 4, 1)
TILE(tile_1x4, 1, 4)
TILE(tile_1x1, 1, 1)

void tk_multiply_neon(const float *a, long a_stride, long m, const float *b, long b_stride, long n, long k, float *c,
                      long c_stride) {
    long i = 0;
    for (; i + 4 <= m; i += 4) {
        const float *rows = a + i * a_stride;
        long j = 0;
        for (; j + 4 <= n; j += 4) {
            tile_4x4(rows, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride);
        }
        for (; j < n; j++) { tile_4x1(rows, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride); }
    }
    for (; i < m; i++) {
        const float *row = a + i * a_stride;
        long j = 0;
        for (; j + 4 <= n; j += 4) {
            tile_1x4(row, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride);
        }
        for (; j < n; j++) { tile_1x1(row, a_stride, b + j * b_stride, b_stride, k, c + i * c_stride + j, c_stride); }
    }
}

// Sixteen 32-bit numbers that fit eight bits.
static inline int8x16_t bytes_of(const int32x4_t *x) {
    int16x8_t low = vcombine_s16(vmovn_s32(x[0]), vmovn_s32(x[1]));
    int16x8_t high = vcombine_s16(vmovn_s32(x[2]), vmovn_s32(x[3]));
    return vcombine_s8(vmovn_s16(low), vmovn_s16(high));
}

void tk_quantize_neon(const float *values, long k, int8_t *high, int8_t *low, float *scales, int32_t *sums) {
    for (long b = 0; b < k / 32; b++, values += 32, high += 32, low += 32) {
        float32x4_t x[8];
        uint32x4_t bits = vdupq_n_u32(0);
        for (int i = 0; i < 8; i++) {
            x[i] = vld1q_f32(values + 4 * i);
            // As bits NaN is above all numbers, so that it reaches the scale and is not lost.
            bits = vmaxq_u32(bits, vreinterpretq_u32_f32(vabsq_f32(x[i])));
        }
        float largest = vgetq_lane_f32(vreinterpretq_f32_u32(vdupq_n_u32(vmaxvq_u32(bits))), 0);
        float scale = largest <= 0x1p-100f ? 0 : largest / TK_LARGEST_CODE, inverse = scale > 0 ? 1 / scale : 0;
        for (int g = 0; g < 2; g++) {
            int32x4_t code[4], upper[4], lower[4];
            for (int i = 0; i < 4; i++) {
                code[i] = vcvtnq_s32_f32(vmulq_n_f32(x[4 * g + i], inverse));  // NaN to 0
                upper[i] = vrshrq_n_s32(code[i], 7);                           // adds the 64 by itself
                lower[i] = vsubq_s32(code[i], vshlq_n_s32(upper[i], 7));
            }
            vst1q_s8(high + 16 * g, bytes_of(upper));
            vst1q_s8(low + 16 * g, bytes_of(lower));
            sums[2 * b + g] = vaddvq_s32(vaddq_s32(vaddq_s32(code[0], code[1]), vaddq_s32(code[2], code[3])));
        }
        scales[b] = scale;
    }
}

// As in x86_avx512vnni.c, with four lanes. The last columns, fewer than a vector, have a tile of their own.
#define WEIGH(NAME, MR, NC, LOAD, STORE)                                                                               \
    static void NAME(const float *p, long p_stride, const float *v, long width, long n, float *out, bool adds,         \
                     long columns) {                                                                                   \
        float32x4_t sum[MR][NC];                                                                                       \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NC; s++) {                                                                             \
                sum[r][s] = adds ? LOAD(out + r * width + 4 * s, columns) : vdupq_n_f32(0);                            \
            }                                                                                                          \
        }                                                                                                              \
        for (long j = 0; j < n; j++) {                                                                                 \
            float32x4_t x[NC];                                                                                         \
            for (int s = 0; s < NC; s++) { x[s] = LOAD(v + j * width + 4 * s, columns); }                              \
            for (int r = 0; r < MR; r++) {                                                                             \
                for (int s = 0; s < NC; s++) { sum[r][s] = vfmaq_n_f32(sum[r][s], x[s], p[r * p_stride + j]); }        \
            }                                                                                                          \
        }                                                                                                              \
        for (int r = 0; r < MR; r++) {                                                                                 \
            for (int s = 0; s < NC; s++) { STORE(out + r * width + 4 * s, sum[r][s], columns); }                       \
        }                                                                                                              \
    }
#define LOAD_WHOLE(FROM, COLUMNS) ((void)(COLUMNS), vld1q_f32(FROM))
#define STORE_WHOLE(TO, X, COLUMNS) ((void)(COLUMNS), vst1q_f32(TO, X))
WEIGH(weigh_4x4, 4, 4, LOAD_WHOLE, STORE_WHOLE)
WEIGH(weigh_1x4, 1, 4, LOAD_WHOLE, STORE_WHOLE)
WEIGH(weigh_1x1, 1, 1, load_first, store_first)

void tk_weigh_neon(const float *p, long p_stride, long m, const float *v, long width, long n, float *out, bool adds) {
    long c = 0;
    for (; c + 16 <= width; c += 16) {
        long i = 0;
        for (; i + 4 <= m; i += 4) { weigh_4x4(p + i * p_stride, p_stride, v + c, width, n, out + i * width + c, adds, 0); }
        for (; i < m; i++) { weigh_1x4(p + i * p_stride, p_stride, v + c, width, n, out + i * width + c, adds, 0); }
    }
    for (; c < width; c += 4) {
        long columns = width - c < 4 ? width - c : 4;
        for (long i = 0; i < m; i++) {
            weigh_1x1(p + i * p_stride, p_stride, v + c, width, n, out + i * width + c, adds, columns);
        }
    }
}

void tk_widen_neon(const uint16_t *halves, long n, float *values) {
    long i = 0;
    for (; i + 4 <= n; i += 4) { vst1q_f32(values + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(halves + i)))); }
    uint16_t rest[4] = {0};
    memcpy(rest, halves + i, (size_t)(n - i) * sizeof *rest);
    store_first(values + i, vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(rest))), n - i);
}

// NaN stays: minimum and maximum of NEON are NaN where an operand is.
static inline uint16x4_t halves_of(float32x4_t x) {
    const float32x4_t limit = vdupq_n_f32(TK_LARGEST_HALF);
    return vreinterpret_u16_f16(vcvt_f16_f32(vmaxq_f32(vnegq_f32(limit), vminq_f32(limit, x))));
}

void tk_narrow_neon(const float *values, long n, uint16_t *halves) {
    long i = 0;
    for (; i + 4 <= n; i += 4) { vst1_u16(halves + i, halves_of(vld1q_f32(values + i))); }
    uint16_t rest[4];
    vst1_u16(rest, halves_of(load_first(values + i, n - i)));
    memcpy(halves + i, rest, (size_t)(n - i) * sizeof *rest);
}
#endif
