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
