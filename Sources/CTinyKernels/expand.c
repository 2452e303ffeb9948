// Every element type to floats, and floats to halves.
#include "halves.h"
#include "include/tiny_kernels.h"

#include <math.h>

// A product and a sum must round apart, as the types are defined; contraction to a fused multiply-add would not.
#pragma STDC FP_CONTRACT OFF

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
        source += n / tk_block_elements(type) * tk_block_bytes(type);
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
        tk_expand(type, from + i / tk_block_elements(type) * tk_block_bytes(type), n, part);
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
