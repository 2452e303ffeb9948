// Takes apart the types in blocks of 32: a scale, perhaps an offset, and codes.
#include "unpack.h"

void tk_unpack_q8_0(const void *source, long blocks, tk_parts *restrict parts) {
    const block_q8_0 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        for (int j = 0; j < 32; j++) { parts->codes[32 * i + j] = (uint8_t)b->codes[j] ^ 0x80; }
        parts->d[i] = b->d;
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

void tk_unpack_q4_0(const void *source, long blocks, tk_parts *restrict parts) {
    const block_q4_0 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        parts->d[i] = b->d;
    }
}

void tk_unpack_q4_1(const void *source, long blocks, tk_parts *restrict parts) {
    const block_q4_1 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        parts->d[i] = b->d;
        parts->m[i] = b->m;
    }
}

void tk_unpack_q5_0(const void *source, long blocks, tk_parts *restrict parts) {
    const block_q5_0 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        add_fifth_bits(b->fifth, parts->codes + 32 * i);
        parts->d[i] = b->d;
    }
}

void tk_unpack_q5_1(const void *source, long blocks, tk_parts *restrict parts) {
    const block_q5_1 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        add_fifth_bits(b->fifth, parts->codes + 32 * i);
        parts->d[i] = b->d;
        parts->m[i] = b->m;
    }
}

void tk_unpack_iq4_nl(const void *source, long blocks, tk_parts *restrict parts) {
    const block_iq4_nl *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        parts->d[i] = b->d;
    }
}

void tk_unpack_mxfp4(const void *source, long blocks, tk_parts *restrict parts) {
    const block_mxfp4 *b = source;
    for (long i = 0; i < blocks; i++, b++) {
        split_nibbles(b->nibbles, parts->codes + 32 * i);
        parts->scales[i] = b->exponent;
    }
}
