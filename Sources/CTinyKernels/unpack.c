// Every element type's way to codes, scales and offsets, and from there to floats. The one place that knows blocks.
#include "blocks.h"
#include "include/tiny_kernels.h"

#include <math.h>
#include <string.h>

// A product and a sum must round apart, as the types are defined; contraction to a fused multiply-add would not.
#pragma STDC FP_CONTRACT OFF

static inline float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

// Moves exponent and fraction into place, then lets a multiplication by 2^112 correct the bias: exact for normal and
// subnormal numbers. Infinity and NaN are those whose exponent came out too large.
static inline float from_half(half_bits half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    float magnitude = from_bits((uint32_t)(half & 0x7FFF) << 13) * 0x1p112f;
    uint32_t bits;
    memcpy(&bits, &magnitude, 4);
    if (magnitude >= 65536.0f) { bits |= 0x7F800000u; }
    return from_bits(bits | sign);
}

uint16_t tk_to_half(float value) {
    uint32_t bits;
    memcpy(&bits, &value, 4);
    uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    bits &= 0x7FFFFFFF;
    float magnitude = from_bits(bits);
    if (value != value) { return sign | 0x7E00; }
    if (magnitude >= 65520) { return sign | 0x7C00; }
    if (magnitude < 0x1p-14f) { return sign | (uint16_t)rintf(magnitude * 0x1p24f); }  // a subnormal: whole steps of 2⁻²⁴
    bits += 0xFFF + (bits >> 13 & 1);  // to the nearest, and to the even one of two
    return sign | (uint16_t)((bits - (112u << 23)) >> 13);
}

static inline void fill(float *groups, long count, float value) {
    for (long g = 0; g < count; g++) { groups[g] = value; }
}

// --- Blocks of 32 ---

static void unpack_q8_0(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_q8_0 *b = source;
    for (long i = 0; i < blocks; i++, b++, codes += 32) {
        memcpy(codes, b->codes, 32);
        fill(scales + 2 * i, 2, from_half(b->d));
        fill(offsets + 2 * i, 2, 0);
    }
}

static inline void split_nibbles(const uint8_t *nibbles, int8_t bias, int8_t *codes) {
    for (int j = 0; j < 16; j++) {
        codes[j] = (int8_t)((nibbles[j] & 15) - bias);
        codes[j + 16] = (int8_t)((nibbles[j] >> 4) - bias);
    }
}

static inline void add_fifth_bits(const uint8_t *fifth, int8_t *codes) {
    for (int j = 0; j < 32; j++) { codes[j] = (int8_t)(codes[j] + ((fifth[j / 8] >> (j % 8) & 1) << 4)); }
}

static void unpack_q4_0(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_q4_0 *b = source;
    for (long i = 0; i < blocks; i++, b++, codes += 32) {
        split_nibbles(b->nibbles, 8, codes);
        fill(scales + 2 * i, 2, from_half(b->d));
        fill(offsets + 2 * i, 2, 0);
    }
}

static void unpack_q4_1(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_q4_1 *b = source;
    for (long i = 0; i < blocks; i++, b++, codes += 32) {
        split_nibbles(b->nibbles, 0, codes);
        fill(scales + 2 * i, 2, from_half(b->d));
        fill(offsets + 2 * i, 2, from_half(b->m));
    }
}

static void unpack_q5_0(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_q5_0 *b = source;
    for (long i = 0; i < blocks; i++, b++, codes += 32) {
        split_nibbles(b->nibbles, 16, codes);
        add_fifth_bits(b->fifth, codes);
        fill(scales + 2 * i, 2, from_half(b->d));
        fill(offsets + 2 * i, 2, 0);
    }
}

static void unpack_q5_1(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_q5_1 *b = source;
    for (long i = 0; i < blocks; i++, b++, codes += 32) {
        split_nibbles(b->nibbles, 0, codes);
        add_fifth_bits(b->fifth, codes);
        fill(scales + 2 * i, 2, from_half(b->d));
        fill(offsets + 2 * i, 2, from_half(b->m));
    }
}

static inline void look_up_nibbles(const uint8_t *nibbles, const int8_t *table, int8_t *codes) {
    for (int j = 0; j < 16; j++) {
        codes[j] = table[nibbles[j] & 15];
        codes[j + 16] = table[nibbles[j] >> 4];
    }
}

static const int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

static void unpack_iq4_nl(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_iq4_nl *b = source;
    for (long i = 0; i < blocks; i++, b++, codes += 32) {
        look_up_nibbles(b->nibbles, iq4_values, codes);
        fill(scales + 2 * i, 2, from_half(b->d));
        fill(offsets + 2 * i, 2, 0);
    }
}

// E2M1 numbers doubled, so that they are integers; the scale is halved for it. (OCP Microscaling Formats 1.0.)
static const int8_t e2m1_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

// 2^(exponent − 128); the two smallest are subnormal.
static inline float half_power(uint8_t exponent) {
    return exponent < 2 ? from_bits(0x00200000u << exponent) : from_bits((uint32_t)(exponent - 1) << 23);
}

static void unpack_mxfp4(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_mxfp4 *b = source;
    for (long i = 0; i < blocks; i++, b++, codes += 32) {
        look_up_nibbles(b->nibbles, e2m1_doubled, codes);
        fill(scales + 2 * i, 2, half_power(b->exponent));
        fill(offsets + 2 * i, 2, 0);
    }
}

// --- Blocks of 256 ---

static void unpack_q2_k(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_q2_k *b = source;
    for (long i = 0; i < blocks; i++, b++, scales += 16, offsets += 16) {
        float d = from_half(b->d), dmin = from_half(b->dmin);
        for (int half = 0; half < 2; half++) {
            for (int shift = 0; shift < 8; shift += 2, codes += 32) {
                for (int j = 0; j < 32; j++) { codes[j] = (int8_t)(b->codes[32 * half + j] >> shift & 3); }
            }
        }
        for (int g = 0; g < 16; g++) {
            scales[g] = d * (float)(b->scales[g] & 15);
            offsets[g] = -(dmin * (float)(b->scales[g] >> 4));
        }
    }
}

static void unpack_q3_k(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_q3_k *b = source;
    for (long i = 0; i < blocks; i++, b++, scales += 16) {
        float d = from_half(b->d);
        for (int part = 0; part < 8; part++, codes += 32) {
            const uint8_t *low = b->codes + 32 * (part / 4);
            int shift = 2 * (part % 4);
            for (int j = 0; j < 32; j++) {
                int absent = 1 - (b->high[j] >> part & 1);
                codes[j] = (int8_t)((low[j] >> shift & 3) - 4 * absent);
            }
        }
        for (int g = 0; g < 16; g++) {
            int low = g < 8 ? b->scales[g] & 15 : b->scales[g - 8] >> 4;
            int high = b->scales[8 + g % 4] >> 2 * (g / 4) & 3;
            scales[g] = d * (float)((low | high << 4) - 32);
        }
    }
    fill(offsets, 16 * blocks, 0);
}

// Q4_K and Q5_K pack eight 6-bit scales and eight 6-bit minima into twelve bytes: the first four of each stand whole,
// the upper bits of the rest in the two bits left over.
static inline void unpack_six_bits(const uint8_t *packed, float d, float dmin, float *scales, float *offsets) {
    for (int s = 0; s < 8; s++) {
        int scale = s < 4 ? packed[s] & 63 : (packed[s + 4] & 15) | (packed[s - 4] >> 6 << 4);
        int minimum = s < 4 ? packed[s + 4] & 63 : packed[s + 4] >> 4 | (packed[s] >> 6 << 4);
        fill(scales + 2 * s, 2, d * (float)scale);
        fill(offsets + 2 * s, 2, -(dmin * (float)minimum));
    }
}

static inline void split_nibbles_by_32(const uint8_t *nibbles, int8_t *codes) {
    for (int j = 0; j < 32; j++) {
        codes[j] = (int8_t)(nibbles[j] & 15);
        codes[j + 32] = (int8_t)(nibbles[j] >> 4);
    }
}

static void unpack_q4_k(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_q4_k *b = source;
    for (long i = 0; i < blocks; i++, b++, codes += 256, scales += 16, offsets += 16) {
        unpack_six_bits(b->scales, from_half(b->d), from_half(b->dmin), scales, offsets);
        for (int c = 0; c < 4; c++) { split_nibbles_by_32(b->nibbles + 32 * c, codes + 64 * c); }
    }
}

static void unpack_q5_k(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_q5_k *b = source;
    for (long i = 0; i < blocks; i++, b++, codes += 256, scales += 16, offsets += 16) {
        unpack_six_bits(b->scales, from_half(b->d), from_half(b->dmin), scales, offsets);
        for (int c = 0; c < 4; c++) { split_nibbles_by_32(b->nibbles + 32 * c, codes + 64 * c); }
        for (int part = 0; part < 8; part++) {
            int8_t *to = codes + 32 * part;
            for (int j = 0; j < 32; j++) { to[j] = (int8_t)(to[j] + ((b->fifth[j] >> part & 1) << 4)); }
        }
    }
}

static void unpack_q6_k(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_q6_k *b = source;
    for (long i = 0; i < blocks; i++, b++, scales += 16) {
        float d = from_half(b->d);
        for (int half = 0; half < 2; half++, codes += 128) {
            const uint8_t *low = b->low + 64 * half, *high = b->high + 32 * half;
            for (int j = 0; j < 32; j++) {
                codes[j] = (int8_t)(((low[j] & 15) | (high[j] & 3) << 4) - 32);
                codes[j + 32] = (int8_t)(((low[j + 32] & 15) | (high[j] >> 2 & 3) << 4) - 32);
                codes[j + 64] = (int8_t)((low[j] >> 4 | (high[j] >> 4 & 3) << 4) - 32);
                codes[j + 96] = (int8_t)((low[j + 32] >> 4 | (high[j] >> 6) << 4) - 32);
            }
        }
        for (int g = 0; g < 16; g++) { scales[g] = d * (float)b->scales[g]; }
    }
    fill(offsets, 16 * blocks, 0);
}

static void unpack_iq4_xs(const void *source, long blocks, int8_t *codes, float *scales, float *offsets) {
    const block_iq4_xs *b = source;
    for (long i = 0; i < blocks; i++, b++, scales += 16) {
        float d = from_half(b->d);
        for (int s = 0; s < 8; s++, codes += 32) {
            int low = b->scales_low[s / 2] >> 4 * (s % 2) & 15;
            int high = b->scales_high >> 2 * s & 3;
            fill(scales + 2 * s, 2, d * (float)((low | high << 4) - 32));
            look_up_nibbles(b->nibbles + 16 * s, iq4_values, codes);
        }
    }
    fill(offsets, 16 * blocks, 0);
}

// --- The table of types ---

typedef void unpack_function(const void *, long, int8_t *, float *, float *);

static const struct {
    long elements, bytes;
    unpack_function *unpack;
} types[TK_TYPE_COUNT] = {
    [TK_F32] = {1, 4, NULL},
    [TK_F16] = {1, 2, NULL},
    [TK_BF16] = {1, 2, NULL},
    [TK_Q8_0] = {32, sizeof(block_q8_0), unpack_q8_0},
    [TK_Q4_0] = {32, sizeof(block_q4_0), unpack_q4_0},
    [TK_Q4_1] = {32, sizeof(block_q4_1), unpack_q4_1},
    [TK_Q5_0] = {32, sizeof(block_q5_0), unpack_q5_0},
    [TK_Q5_1] = {32, sizeof(block_q5_1), unpack_q5_1},
    [TK_Q2_K] = {256, sizeof(block_q2_k), unpack_q2_k},
    [TK_Q3_K] = {256, sizeof(block_q3_k), unpack_q3_k},
    [TK_Q4_K] = {256, sizeof(block_q4_k), unpack_q4_k},
    [TK_Q5_K] = {256, sizeof(block_q5_k), unpack_q5_k},
    [TK_Q6_K] = {256, sizeof(block_q6_k), unpack_q6_k},
    [TK_IQ4_NL] = {32, sizeof(block_iq4_nl), unpack_iq4_nl},
    [TK_IQ4_XS] = {256, sizeof(block_iq4_xs), unpack_iq4_xs},
    [TK_MXFP4] = {32, sizeof(block_mxfp4), unpack_mxfp4},
};

long tk_block_elements(tk_type type) { return types[type].elements; }
long tk_block_bytes(tk_type type) { return types[type].bytes; }

void tk_unpack(tk_type type, const void *blocks, long count, int8_t *codes, float *scales, float *offsets) {
    types[type].unpack(blocks, count / types[type].elements, codes, scales, offsets);
}

void tk_code_table(tk_type type, uint8_t *codes) {
    memcpy(codes, type == TK_MXFP4 ? e2m1_doubled : iq4_values, 16);
}

// --- To floats ---

// One largest block at a time, so that codes stay in the first-level cache.
static void expand_codes(tk_type type, const uint8_t *source, long count, float *values) {
    int8_t codes[256];
    float scales[256 / TK_GROUP], offsets[256 / TK_GROUP];
    while (count > 0) {
        long n = count < 256 ? count : 256;
        tk_unpack(type, source, n, codes, scales, offsets);
        for (long g = 0; g < n / TK_GROUP; g++) {
            for (int j = 0; j < TK_GROUP; j++) {
                values[TK_GROUP * g + j] = scales[g] * (float)codes[TK_GROUP * g + j] + offsets[g];
            }
        }
        source += n / types[type].elements * types[type].bytes;
        values += n;
        count -= n;
    }
}

// Tensors of a file need not be aligned to their elements: halves are fetched byte by byte.
static inline uint16_t half_at(const uint8_t *source, long i) {
    uint16_t bits;
    memcpy(&bits, source + 2 * i, 2);
    return bits;
}

void tk_expand(tk_type type, const void *source, long count, float *values) {
    switch (type) {
    case TK_F32: memcpy(values, source, 4 * (size_t)count); break;
    case TK_F16: for (long i = 0; i < count; i++) { values[i] = from_half(half_at(source, i)); } break;
    case TK_BF16: for (long i = 0; i < count; i++) { values[i] = from_bits((uint32_t)half_at(source, i) << 16); } break;
    default: expand_codes(type, source, count, values);
    }
}

void tk_add_row(tk_type type, const void *source, long count, float *values) {
    float part[256];
    const uint8_t *from = source;
    for (long i = 0; i < count; i += 256) {
        long n = count - i < 256 ? count - i : 256;
        tk_expand(type, from + i / types[type].elements * types[type].bytes, n, part);
        for (long j = 0; j < n; j++) { values[i + j] += part[j]; }
    }
}

void tk_transpose(const void *source, long rows, long columns, long size, void *target) {
    const char *from = source;
    char *to = target;
    for (long i = 0; i < rows; i++) {
        for (long j = 0; j < columns; j++) { memcpy(to + (j * rows + i) * size, from + (i * columns + j) * size, (size_t)size); }
    }
}
