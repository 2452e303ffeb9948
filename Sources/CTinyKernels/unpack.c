// Every element type's way to codes, scales and offsets. unpack_32.c and unpack_256.c are the one place that knows blocks: each
// type has a function that takes them apart, and the rest is shared.
#include "halves.h"
#include "unpack.h"

// A product and a sum must round apart, as the types are defined; contraction to a fused multiply-add would not.
#pragma STDC FP_CONTRACT OFF

static const struct {
    long elements, bytes;
    tk_unpack_blocks *unpack;
} types[TK_TYPE_COUNT] = {
    [TK_F32] = {1, 4, NULL},
    [TK_F16] = {1, 2, NULL},
    [TK_BF16] = {1, 2, NULL},
    [TK_Q8_0] = {32, sizeof(block_q8_0), tk_unpack_q8_0},
    [TK_Q4_0] = {32, sizeof(block_q4_0), tk_unpack_q4_0},
    [TK_Q4_1] = {32, sizeof(block_q4_1), tk_unpack_q4_1},
    [TK_Q5_0] = {32, sizeof(block_q5_0), tk_unpack_q5_0},
    [TK_Q5_1] = {32, sizeof(block_q5_1), tk_unpack_q5_1},
    [TK_Q2_K] = {256, sizeof(block_q2_k), tk_unpack_q2_k},
    [TK_Q3_K] = {256, sizeof(block_q3_k), tk_unpack_q3_k},
    [TK_Q4_K] = {256, sizeof(block_q4_k), tk_unpack_q4_k},
    [TK_Q5_K] = {256, sizeof(block_q5_k), tk_unpack_q5_k},
    [TK_Q6_K] = {256, sizeof(block_q6_k), tk_unpack_q6_k},
    [TK_IQ4_NL] = {32, sizeof(block_iq4_nl), tk_unpack_iq4_nl},
    [TK_IQ4_XS] = {256, sizeof(block_iq4_xs), tk_unpack_iq4_xs},
    [TK_MXFP4] = {32, sizeof(block_mxfp4), tk_unpack_mxfp4},
};

long tk_block_elements(tk_type type) { return types[type].elements; }
long tk_block_bytes(tk_type type) { return types[type].bytes; }

void tk_unpack_parts(tk_type type, const void *blocks, long count, tk_parts *parts) {
    types[type].unpack(blocks, count / types[type].elements, parts);
}

static const int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

// E2M1 numbers doubled, so that they are integers; the scale is halved for it. (OCP Microscaling Formats 1.0.)
static const int8_t e2m1_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

void tk_code_table(tk_type type, int8_t *codes) {
    memcpy(codes, type == TK_MXFP4 ? e2m1_doubled : iq4_values, 16);
}

// 2^(exponent − 128); the two smallest are subnormal.
static inline float half_power(uint8_t exponent) {
    return exponent < 2 ? from_bits(0x00200000u << exponent) : from_bits((uint32_t)(exponent - 1) << 23);
}

// The scale and offset that the inputs from i on have.
static inline void multiply_out(tk_format f, const tk_parts *parts, long i, float *scale, float *offset) {
    uint8_t s = parts->scales[i / f.group], o = parts->offsets[i / f.group];
    *offset = 0;
    switch (f.scales) {
    case TK_SCALE_HALF:
        *scale = from_half(parts->d[i / 32]);
        if (f.has_offsets) { *offset = from_half(parts->m[i / 32]); }
        break;
    case TK_SCALE_NIBBLES:
        *scale = from_half(parts->d[0]) * (float)(s & 15);
        *offset = from_half(parts->m[0]) * (float)(s >> 4);
        break;
    case TK_SCALE_INTEGER:
        *scale = from_half(parts->d[0]) * (float)(int8_t)s;
        if (f.has_offsets) { *offset = from_half(parts->m[0]) * (float)o; }
        break;
    case TK_SCALE_EXPONENT: *scale = half_power(s); break;
    }
}

void tk_unpack(tk_type type, const void *blocks, long count, int8_t *codes, float *scales, float *offsets) {
    const tk_format f = tk_format_of(type);
    const uint8_t *from = blocks;
    int8_t table[16];
    tk_code_table(type, table);
    for (; count > 0; count -= 256, from += 256 / types[type].elements * types[type].bytes) {
        tk_parts parts;
        long n = count < 256 ? count : 256;
        tk_unpack_parts(type, from, n, &parts);
        for (long i = 0; i < n; i++) {
            *codes++ = (int8_t)(f.has_table ? table[parts.codes[i]] : parts.codes[i] - f.bias);
        }
        for (long i = 0; i < n; i += TK_GROUP) { multiply_out(f, &parts, i, scales++, offsets++); }
    }
}
