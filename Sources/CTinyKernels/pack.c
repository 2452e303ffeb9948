// Quantized weights in the layout that kernels stream through: sixteen rows interleaved, so that a lane is a row, and
// for each 32 inputs first the codes, then scales and offsets. Types of 4 and 8 bits with half scales keep their size; types
// of 2, 3, 5 and 6 bits grow to the next of 4 and 8, and K types' scales to 32 bits.
#include "include/tiny_kernels.h"

#include <string.h>

// Codes as unsigned numbers: what is stored is code + bias, or an index into a table of code + 128.
static const struct {
    uint8_t bits, bias;
    bool has_table, has_half_scales, has_offsets;
    uint8_t group;
} formats[TK_TYPE_COUNT] = {
    [TK_Q8_0] = {8, 128, false, true, false, 32},
    [TK_Q4_0] = {4, 8, false, true, false, 32},
    [TK_Q4_1] = {4, 0, false, true, true, 32},
    [TK_Q5_0] = {8, 128, false, true, false, 32},
    [TK_Q5_1] = {8, 128, false, true, true, 32},
    [TK_Q2_K] = {4, 0, false, false, true, 16},
    [TK_Q3_K] = {4, 4, false, false, false, 16},
    [TK_Q4_K] = {4, 0, false, false, true, 32},
    [TK_Q5_K] = {8, 128, false, false, true, 32},
    [TK_Q6_K] = {8, 128, false, false, false, 16},
    [TK_IQ4_NL] = {4, 128, true, true, false, 32},
    [TK_IQ4_XS] = {4, 128, true, false, false, 32},
    [TK_MXFP4] = {4, 128, true, false, false, 32},
};

long tk_packed_block_bytes(const tk_packed *packed) {
    long scales = TK_PANEL_ROWS * (packed->has_half_scales ? 2 : 4) * (32 / packed->group);
    return TK_PANEL_ROWS * 32 * packed->bits / 8 + scales * (packed->has_offsets ? 2 : 1);
}

tk_packed tk_packed_format(tk_type type, long rows, long columns) {
    tk_packed packed = {
        .rows = rows,
        .columns = columns,
        .bits = formats[type].bits,
        .bias = formats[type].bias,
        .has_table = formats[type].has_table,
        .has_half_scales = formats[type].has_half_scales,
        .has_offsets = formats[type].has_offsets,
        .group = formats[type].group,
    };
    if (packed.has_table) { tk_code_table(type, packed.table); }
    for (int i = 0; i < 16 && packed.has_table; i++) { packed.table[i] = (uint8_t)(packed.table[i] ^ 0x80); }
    packed.panel_bytes = columns / 32 * tk_packed_block_bytes(&packed);
    return packed;
}

// What is stored for each possible code, at index code + 128.
static void stored_values(const tk_packed *packed, uint8_t *stored) {
    for (int i = 0; i < 256; i++) { stored[i] = (uint8_t)(i - 128 + packed->bias); }
    for (int i = 0; i < 16 && packed->has_table; i++) { stored[packed->table[i]] = (uint8_t)i; }
}

static uint8_t *store_scales(const tk_packed *packed, const float *values, long row_stride, uint8_t *to) {
    for (int g = 0; g < 32 / packed->group; g++) {
        for (int r = 0; r < TK_PANEL_ROWS; r++) {
            // A type with scales for each 32 was unpacked with the same one for both sixteens.
            float value = values[r * row_stride + g];
            if (packed->has_half_scales) {
                uint16_t half = tk_to_half(value);
                memcpy(to, &half, 2);
                to += 2;
            } else {
                memcpy(to, &value, 4);
                to += 4;
            }
        }
    }
    return to;
}

void tk_pack_panel(const tk_packed *packed, tk_type type, const uint8_t *rows, long row_bytes, long row_count,
                   uint8_t *panel, int8_t *codes, float *scales, float *offsets) {
    long k = packed->columns, groups = k / TK_GROUP;
    uint8_t stored[256];
    stored_values(packed, stored);
    // Rows that fill up the last panel weigh nothing.
    memset(codes, 0, (size_t)(TK_PANEL_ROWS * k));
    memset(scales, 0, (size_t)(TK_PANEL_ROWS * groups) * sizeof(float));
    memset(offsets, 0, (size_t)(TK_PANEL_ROWS * groups) * sizeof(float));
    for (long r = 0; r < row_count; r++) {
        tk_unpack(type, rows + r * row_bytes, k, codes + r * k, scales + r * groups, offsets + r * groups);
    }
    for (long i = 0; i < k; i += 32) {
        // Four inputs of a row make a lane; where codes are nibbles the sixteen inputs after share its bytes.
        for (int quad = 0; quad < packed->bits; quad++) {
            for (int r = 0; r < TK_PANEL_ROWS; r++) {
                const int8_t *from = codes + r * k + i + 4 * quad;
                for (int j = 0; j < 4; j++) {
                    uint8_t low = stored[from[j] + 128];
                    *panel++ = packed->bits == 4 ? (uint8_t)(low | stored[from[j + 16] + 128] << 4) : low;
                }
            }
        }
        panel = store_scales(packed, scales + i / TK_GROUP, groups, panel);
        if (packed->has_offsets) { panel = store_scales(packed, offsets + i / TK_GROUP, groups, panel); }
    }
}
