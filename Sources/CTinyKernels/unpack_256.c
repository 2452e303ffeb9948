// Takes apart the types in blocks of 256, one at a time: what is common to the block, and small integers for each group.
#include "unpack.h"

// The types are defined with −m.
static inline half_bits negated(half_bits half) { return half ^ 0x8000; }

void tk_unpack_q2_k(const void *source, long blocks, tk_parts *restrict parts) {
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

void tk_unpack_q3_k(const void *source, long blocks, tk_parts *restrict parts) {
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

void tk_unpack_q4_k(const void *source, long blocks, tk_parts *restrict parts) {
    (void)blocks;
    const block_q4_k *b = source;
    split_nibbles_by_32(b->nibbles, parts->codes);
    unpack_six_bits(b->scales, parts);
    parts->d[0] = b->d;
    parts->m[0] = negated(b->dmin);
}

void tk_unpack_q5_k(const void *source, long blocks, tk_parts *restrict parts) {
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

void tk_unpack_q6_k(const void *source, long blocks, tk_parts *restrict parts) {
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

void tk_unpack_iq4_xs(const void *source, long blocks, tk_parts *restrict parts) {
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
