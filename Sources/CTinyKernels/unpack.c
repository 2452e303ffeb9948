// Every element type's way to codes, scales and offsets, and from there to floats. The one place that knows blocks: each
// type has a function that takes them apart (packed_format.h has what the parts are), and the rest is shared.
#include "blocks.h"
#include "packed_format.h"

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

// --- Blocks of 32 ---

static void unpack_q8_0(const void *source, long blocks, tk_parts *restrict parts) {
    const block_q8_0 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        for (int j = 0; j < 32; j++) { parts->codes[32 * i + j] = (uint8_t)b->codes[j] ^ 0x80; }
        parts->d[i] = b->d;
    }
}

static inline void split_nibbles(const uint8_t *nibbles, uint8_t *restrict codes) {
    for (int j = 0; j < 16; j++) {
        codes[j] = nibbles[j] & 15;
        codes[j + 16] = nibbles[j] >> 4;
    }
}

// Eight bits at a time, each to a byte of its own: the bit that is left there carries into the top bit.
static inline void add_fifth_bits(const uint8_t *fifth, uint8_t *restrict codes) {
    for (int j = 0; j < 4; j++) {
        uint64_t bits = (fifth[j] * 0x0101010101010101u & 0x8040201008040201u) + 0x7F7F7F7F7F7F7F7Fu, eight;
        memcpy(&eight, codes + 8 * j, 8);
        eight |= bits >> 3 & 0x1010101010101010u;
        memcpy(codes + 8 * j, &eight, 8);
    }
}

static void unpack_q4_0(const void *source, long blocks, tk_parts *restrict parts) {
    const block_q4_0 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        parts->d[i] = b->d;
    }
}

static void unpack_q4_1(const void *source, long blocks, tk_parts *restrict parts) {
    const block_q4_1 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        parts->d[i] = b->d;
        parts->m[i] = b->m;
    }
}

static void unpack_q5_0(const void *source, long blocks, tk_parts *restrict parts) {
    const block_q5_0 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        add_fifth_bits(b->fifth, parts->codes + 32 * i);
        parts->d[i] = b->d;
    }
}

static void unpack_q5_1(const void *source, long blocks, tk_parts *restrict parts) {
    const block_q5_1 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        add_fifth_bits(b->fifth, parts->codes + 32 * i);
        parts->d[i] = b->d;
        parts->m[i] = b->m;
    }
}

static const int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

static void unpack_iq4_nl(const void *source, long blocks, tk_parts *restrict parts) {
    const block_iq4_nl *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        parts->d[i] = b->d;
    }
}

// E2M1 numbers doubled, so that they are integers; the scale is halved for it. (OCP Microscaling Formats 1.0.)
static const int8_t e2m1_doubled[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

static void unpack_mxfp4(const void *source, long blocks, tk_parts *restrict parts) {
    const block_mxfp4 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        parts->scales[i] = b->exponent;
    }
}

// --- Blocks of 256: one at a time ---

// The types are defined with −m.
static inline half_bits negated(half_bits half) { return half ^ 0x8000; }

static void unpack_q2_k(const void *source, long blocks, tk_parts *restrict parts) {
    (void)blocks;
    const block_q2_k *b = source;
    for (int part = 0; part < 8; part++) {
        const uint8_t *from = b->codes + 32 * (part / 4);
        for (int j = 0; j < 32; j++) { parts->codes[32 * part + j] = from[j] >> 2 * (part % 4) & 3; }
    }
    memcpy(parts->scales, b->scales, 16);
    parts->d[0] = b->d;
    parts->m[0] = negated(b->dmin);
}

static void unpack_q3_k(const void *source, long blocks, tk_parts *restrict parts) {
    (void)blocks;
    const block_q3_k *b = source;
    for (int part = 0; part < 8; part++) {
        const uint8_t *low = b->codes + 32 * (part / 4);
        for (int j = 0; j < 32; j++) {
            int high = b->high[j] >> part & 1;
            parts->codes[32 * part + j] = (uint8_t)((low[j] >> 2 * (part % 4) & 3) | high << 2);
        }
    }
    for (int g = 0; g < 16; g++) {
        int low = g < 8 ? b->scales[g] & 15 : b->scales[g - 8] >> 4;
        int high = b->scales[8 + g % 4] >> 2 * (g / 4) & 3;
        parts->scales[g] = (uint8_t)((low | high << 4) - 32);
    }
    parts->d[0] = b->d;
}

// Q4_K and Q5_K pack eight 6-bit scales and eight 6-bit minima into twelve bytes: the first four of each stand whole,
// the upper bits of the rest in the two bits left over.
static inline void unpack_six_bits(const uint8_t *packed, tk_parts *parts) {
    for (int s = 0; s < 4; s++) {
        parts->scales[s] = packed[s] & 63;
        parts->offsets[s] = packed[s + 4] & 63;
        parts->scales[s + 4] = (uint8_t)((packed[s + 8] & 15) | (packed[s] >> 6 << 4));
        parts->offsets[s + 4] = (uint8_t)(packed[s + 8] >> 4 | (packed[s + 4] >> 6 << 4));
    }
}

static inline void split_nibbles_by_32(const uint8_t *nibbles, uint8_t *restrict codes) {
    for (int c = 0; c < 4; c++, nibbles += 32, codes += 64) {
        for (int j = 0; j < 32; j++) {
            codes[j] = nibbles[j] & 15;
            codes[j + 32] = nibbles[j] >> 4;
        }
    }
}

static void unpack_q4_k(const void *source, long blocks, tk_parts *restrict parts) {
    (void)blocks;
    const block_q4_k *b = source;
    split_nibbles_by_32(b->nibbles, parts->codes);
    unpack_six_bits(b->scales, parts);
    parts->d[0] = b->d;
    parts->m[0] = negated(b->dmin);
}

static void unpack_q5_k(const void *source, long blocks, tk_parts *restrict parts) {
    (void)blocks;
    const block_q5_k *b = source;
    split_nibbles_by_32(b->nibbles, parts->codes);
    for (int part = 0; part < 8; part++) {
        uint8_t *to = parts->codes + 32 * part;
        for (int j = 0; j < 32; j++) { to[j] |= (uint8_t)((b->fifth[j] >> part & 1) << 4); }
    }
    unpack_six_bits(b->scales, parts);
    parts->d[0] = b->d;
    parts->m[0] = negated(b->dmin);
}

static void unpack_q6_k(const void *source, long blocks, tk_parts *restrict parts) {
    (void)blocks;
    const block_q6_k *b = source;
    for (int part = 0; part < 8; part++) {
        // Of each half the first sixty-four have the low nibbles; a byte of high bits serves four parts.
        const uint8_t *low = b->low + 64 * (part / 4) + 32 * (part % 2), *high = b->high + 32 * (part / 4);
        int low_shift = part % 4 / 2 * 4, high_shift = 2 * (part % 4);
        for (int j = 0; j < 32; j++) {
            parts->codes[32 * part + j] = (uint8_t)((low[j] >> low_shift & 15) | (high[j] >> high_shift & 3) << 4);
        }
    }
    memcpy(parts->scales, b->scales, 16);
    parts->d[0] = b->d;
}

static void unpack_iq4_xs(const void *source, long blocks, tk_parts *restrict parts) {
    (void)blocks;
    const block_iq4_xs *b = source;
    for (int s = 0; s < 8; s++) {
        int low = b->scales_low[s / 2] >> 4 * (s % 2) & 15;
        int high = b->scales_high >> 2 * s & 3;
        parts->scales[s] = (uint8_t)((low | high << 4) - 32);
        split_nibbles(b->nibbles + 16 * s, parts->codes + 32 * s);
    }
    parts->d[0] = b->d;
}

// --- The table of types ---

static const struct {
    long elements, bytes;
    void (*unpack)(const void *source, long blocks, tk_parts *restrict parts);
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

void tk_unpack_parts(tk_type type, const void *blocks, long count, tk_parts *parts) {
    types[type].unpack(blocks, count / types[type].elements, parts);
}

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
