// The types' own ways to take `blocks` blocks apart: 256 elements at most (packed_format.h has what the parts are).
#ifndef TINY_UNPACK_H
#define TINY_UNPACK_H

#include "blocks.h"
#include "packed_format.h"

#include <string.h>

typedef void tk_unpack_blocks(const void *source, long blocks, tk_parts *restrict parts);

tk_unpack_blocks tk_unpack_q8_0, tk_unpack_q4_0, tk_unpack_q4_1, tk_unpack_q5_0, tk_unpack_q5_1, tk_unpack_iq4_nl, tk_unpack_mxfp4;
tk_unpack_blocks tk_unpack_q2_k, tk_unpack_q3_k, tk_unpack_q4_k, tk_unpack_q5_k, tk_unpack_q6_k, tk_unpack_iq4_xs;

static inline void split_nibbles(const uint8_t *nibbles, uint8_t *restrict codes) {
    for (int j = 0; j < 16; j++) {
        codes[j] = nibbles[j] & 15;
        codes[j + 16] = nibbles[j] >> 4;
    }
}

#endif
