// Floats from halves, in plain C.
#ifndef TINY_HALVES_H
#define TINY_HALVES_H

#include <stdint.h>
#include <string.h>

static inline float from_bits(uint32_t bits) {
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

// Moves exponent and fraction into place, then lets a multiplication by 2^112 correct the bias: exact for normal and
// subnormal numbers. Infinity and NaN are those whose exponent came out too large.
static inline float from_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    float magnitude = from_bits((uint32_t)(half & 0x7FFF) << 13) * 0x1p112f;
    uint32_t bits;
    memcpy(&bits, &magnitude, 4);
    if (magnitude >= 65536.0f) { bits |= 0x7F800000u; }
    return from_bits(bits | sign);
}

#endif
