// Weights into the layout that kernels stream through (packed_format.h).
#include "kernels.h"
#include "packed_format.h"

tk_packed tk_packed_format(tk_type type, long rows, long columns) {
    tk_packed packed = {.rows = rows, .columns = columns, .type = type};
    if (tk_is_float(type)) {
        packed.panel_bytes = columns * TK_PANEL_ROWS * tk_float_bytes(type);
        return packed;
    }
    const tk_format f = tk_format_of(type);
    packed.is_narrow = tk_is_narrow(f);
    if (f.has_table) {
        int8_t codes[16];
        tk_code_table(type, codes);
        for (int i = 0; i < 16; i++) { packed.table[i] = (uint8_t)(codes[i] + f.bias); }
    }
    packed.panel_bytes = columns / 32 * tk_packed_block_bytes(f) + columns / 256 * tk_head_bytes(f);
    return packed;
}

// A row's lane in the lines of a plane: the bits of eight quads from `from` on.
static inline void pack_lane(const uint32_t *quads, int from, int bits, uint8_t *lane) {
    const uint32_t mask = ((1u << bits) - 1) * 0x01010101u;
    for (int line = 0; line < bits; line++, lane += 4 * TK_PANEL_ROWS) {
        uint32_t word = 0;
        for (int q = line; q < 8; q += bits) { word |= (quads[q] >> from & mask) << bits * (q / bits); }
        memcpy(lane, &word, sizeof word);
    }
}

static inline void put_half(uint8_t *to, int r, uint16_t half) { memcpy(to + 2 * r, &half, sizeof half); }

// Where everything of 32 inputs of one row goes, the block-th of the 256 that `parts` has.
static inline void pack_row(tk_format f, const tk_parts *parts, int block, int r, uint8_t *to) {
    uint32_t quads[8];
    memcpy(quads, parts->codes + 32 * block, sizeof quads);
    pack_lane(quads, 0, f.low_bits, to + 4 * r);
    if (f.high_bits > 0) { pack_lane(quads, f.low_bits, f.high_bits, to + tk_plane_bytes(f.low_bits) + 4 * r); }
    uint8_t *scales = to + tk_scales_at(f), *offsets = to + tk_offsets_at(f);
    if (f.scales == TK_SCALE_HALF) {
        put_half(scales, r, parts->d[block]);
        if (f.has_offsets) { put_half(offsets, r, parts->m[block]); }
        return;
    }
    for (int g = 0; g < 32 / f.group; g++) {
        scales[g * TK_PANEL_ROWS + r] = parts->scales[block * (32 / f.group) + g];
        if (f.has_offsets && f.scales == TK_SCALE_INTEGER) {
            offsets[g * TK_PANEL_ROWS + r] = parts->offsets[block * (32 / f.group) + g];
        }
    }
}

// Expanded for each type, so that the bits are constants.
INLINE void pack_panel(const tk_packed *packed, tk_type type, const uint8_t *rows, long row_bytes, long row_count,
                       uint8_t *panel) {
    const tk_format f = tk_format_of(type);
    const long block_bytes = tk_packed_block_bytes(f), source_bytes = 256 / tk_block_elements(type) * tk_block_bytes(type);
    for (long i = 0; i < packed->columns; i += 256, rows += source_bytes) {
        long count = packed->columns - i < 256 ? packed->columns - i : 256;
        uint8_t *blocks = panel + tk_head_bytes(f);
        for (int r = 0; r < TK_PANEL_ROWS; r++) {
            tk_parts parts;
            if (r < row_count) {
                tk_unpack_parts(type, rows + r * row_bytes, count, &parts);
            } else {
                memset(&parts, 0, sizeof parts);  // rows that fill up the last panel weigh nothing
            }
            if (tk_has_head(f)) { put_half(panel, r, parts.d[0]); }
            if (tk_has_head(f) && f.has_offsets) { put_half(panel + 2 * TK_PANEL_ROWS, r, parts.m[0]); }
            for (int b = 0; b < count / 32; b++) { pack_row(f, &parts, b, r, blocks + b * block_bytes); }
        }
        panel = blocks + count / 32 * block_bytes;
    }
}

// Floats and halves: [inputs][rows].
INLINE void interleave(long bytes, long columns, const uint8_t *rows, long row_bytes, long row_count, uint8_t *panel) {
    for (long i = 0; i < columns; i++) {
        for (long r = 0; r < TK_PANEL_ROWS; r++, panel += bytes) {
            if (r < row_count) {
                memcpy(panel, rows + r * row_bytes + i * bytes, (size_t)bytes);
            } else {
                memset(panel, 0, (size_t)bytes);
            }
        }
    }
}

static void pack_floats(long bytes, long columns, const uint8_t *rows, long row_bytes, long row_count, uint8_t *panel) {
    if (row_count < TK_PANEL_ROWS) {
        interleave(bytes, columns, rows, row_bytes, row_count, panel);
    } else if (bytes == 2) {
        interleave(2, columns, rows, row_bytes, TK_PANEL_ROWS, panel);
    } else {
        interleave(4, columns, rows, row_bytes, TK_PANEL_ROWS, panel);
    }
}

#define CASE(TYPE) case TYPE: pack_panel(packed, TYPE, rows, row_bytes, row_count, panel); break;

void tk_pack_panel(const tk_packed *packed, const uint8_t *rows, long row_bytes, long row_count, uint8_t *panel) {
    switch (packed->type) {
        TK_PACKED_TYPES(CASE)
    default: pack_floats(tk_float_bytes(packed->type), packed->columns, rows, row_bytes, row_count, panel);
    }
}
