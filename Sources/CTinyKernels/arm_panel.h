// How NEON reads a packed panel (packed_format.h): a lane is a row, and four vectors of four rows are the sixteen of a
// panel. The format, and which quad or group it is, must be constants where these are expanded.
#ifndef TINY_ARM_PANEL_H
#define TINY_ARM_PANEL_H

#include "kernels.h"
#include "packed_format.h"

#include <arm_neon.h>

// What is in a plane for a quad of the vector-th four rows, moved so that it begins at bit `at` of each byte; other bits are
// left over.
INLINE uint8x16_t plane_quad(const uint8_t *plane, int vector, int quad, int bits, int at) {
    const int from = bits * (quad / bits);
    uint8x16_t w = vld1q_u8(plane + 64 * (quad % bits) + 16 * vector);
    return vshlq_u8(w, vdupq_n_s8((int8_t)(at - from)));  // to the right if that is negative
}

// The codes of inputs 4 · quad … 4 · quad + 3 of a block for the vector-th four rows, as signed numbers: before ARMv8.6
// no instruction multiplies signed by unsigned bytes. Those of eight bits, stored or looked up, come without the bias;
// others fit as they are, and keep it.
INLINE int8x16_t panel_codes(const uint8_t *block, int vector, int quad, tk_format f, int8x16_t table) {
    uint8x16_t w = plane_quad(block, vector, quad, f.low_bits, 0);
    if (f.low_bits == 8) { return vreinterpretq_s8_u8(veorq_u8(w, vdupq_n_u8(0x80))); }
    w = vandq_u8(w, vdupq_n_u8((uint8_t)((1 << f.low_bits) - 1)));
    if (f.high_bits > 0) {
        uint8x16_t high = plane_quad(block + tk_plane_bytes(f.low_bits), vector, quad, f.high_bits, f.low_bits);
        w = vorrq_u8(w, vandq_u8(high, vdupq_n_u8((uint8_t)(((1 << f.high_bits) - 1) << f.low_bits))));
    }
    return f.has_table ? vqtbl1q_s8(table, w) : vreinterpretq_s8_u8(w);
}

// What panel_codes leaves to be subtracted from each code.
INLINE int32_t panel_bias(tk_format f) { return f.low_bits == 8 || f.has_table ? 0 : f.bias; }

INLINE int8x16_t panel_table(const tk_packed *weight) {
    return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(weight->table), vdupq_n_u8(0x80)));
}

// Halves of the vector-th four rows. By bytes, so that the address may be any.
INLINE float32x4_t panel_halves(const uint8_t *from, int vector) {
    return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(from + 8 * vector)));
}

// Bytes of the vector-th four rows, in the lower half of a register.
INLINE uint8x8_t panel_bytes(const uint8_t *from, int vector) {
    uint32_t four;
    memcpy(&four, from + 4 * vector, sizeof four);
    return vreinterpret_u8_u32(vdup_n_u32(four));
}

// The first four, as numbers of 32 bits.
INLINE uint32x4_t first_unsigned(uint8x8_t bytes) { return vmovl_u16(vget_low_u16(vmovl_u8(bytes))); }
INLINE int32x4_t first_signed(uint8x8_t bytes) { return vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u8(bytes)))); }

// 2^(e − 128), the two smallest subnormal.
INLINE float32x4_t panel_powers(uint32x4_t e) {
    uint32x4_t normal = vshlq_n_u32(vsubq_u32(e, vdupq_n_u32(1)), 23);
    uint32x4_t small = vshlq_u32(vdupq_n_u32(0x00200000), vreinterpretq_s32_u32(e));
    return vreinterpretq_f32_u32(vbslq_u32(vcltq_u32(e, vdupq_n_u32(2)), small, normal));
}

// The scale of a block's group-th inputs. The head is that of the block's 256, with d and then m.
INLINE float32x4_t panel_scale(const uint8_t *head, const uint8_t *block, int vector, int group, tk_format f) {
    const uint8_t *from = block + tk_scales_at(f) + group * tk_scale_bytes(f);
    if (f.scales == TK_SCALE_HALF) { return panel_halves(from, vector); }
    uint8x8_t bytes = panel_bytes(from, vector);
    if (f.scales == TK_SCALE_EXPONENT) { return panel_powers(first_unsigned(bytes)); }
    if (f.scales == TK_SCALE_NIBBLES) { bytes = vand_u8(bytes, vdup_n_u8(15)); }
    return vmulq_f32(panel_halves(head, vector), vcvtq_f32_s32(first_signed(bytes)));
}

// The offset, for formats that have one.
INLINE float32x4_t panel_offset(const uint8_t *head, const uint8_t *block, int vector, int group, tk_format f) {
    const bool is_shared = f.scales == TK_SCALE_NIBBLES;
    const uint8_t *from = block + (is_shared ? tk_scales_at(f) : tk_offsets_at(f)) + group * tk_scale_bytes(f);
    if (f.scales == TK_SCALE_HALF) { return panel_halves(from, vector); }
    uint8x8_t bytes = panel_bytes(from, vector);
    if (is_shared) { bytes = vshr_n_u8(bytes, 4); }
    return vmulq_f32(panel_halves(head + 2 * TK_PANEL_ROWS, vector), vcvtq_f32_u32(first_unsigned(bytes)));
}

#endif
