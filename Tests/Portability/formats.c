// What all machines must agree on to the bit: blocks of every type unpacked, expanded and packed, and activations
// rounded.
#include "support.h"

#include <string.h>

// FNV-1a: Fowler, Noll and Vo, draft-eastlake-fnv.
static void add(uint64_t *hash, const void *bytes, long count) {
    for (long i = 0; i < count; i++) { *hash = (*hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001B3u; }
}

uint64_t formats_fingerprint(void) {
    enum { ROWS = TK_PANEL_ROWS, COLUMNS = 512 };
    static int8_t codes[ROWS * COLUMNS];
    static float values[ROWS * COLUMNS], scales[ROWS * COLUMNS / TK_GROUP], offsets[ROWS * COLUMNS / TK_GROUP];
    uint64_t hash = 0xCBF29CE484222325u;
    generator random = {5};
    for (tk_type type = TK_F32; type < TK_TYPE_COUNT; type++) {
        const long blocks = ROWS * COLUMNS / tk_block_elements(type), row_bytes = blocks / ROWS * tk_block_bytes(type);
        uint8_t *stored = memory(0, blocks * tk_block_bytes(type), 1);
        fill_blocks(&random, type, stored, blocks);
        tk_expand(type, stored, ROWS * COLUMNS, values);
        add(&hash, values, sizeof values);
        if (type < TK_Q8_0) { continue; }
        tk_packed packed = tk_packed_format(type, ROWS, COLUMNS);
        uint8_t *panel = memory(1, packed.panel_bytes, 0);
        tk_pack_panel(&packed, stored, row_bytes, ROWS, panel);
        tk_unpack(type, stored, ROWS * COLUMNS, codes, scales, offsets);
        add(&hash, panel, packed.panel_bytes);
        add(&hash, codes, sizeof codes);
        add(&hash, scales, sizeof scales);
        add(&hash, offsets, sizeof offsets);
    }
    tk_quantized x = {codes, memory(1, sizeof codes, 0), scales, memory(2, sizeof offsets, 0), false};
    tk_quantize_rows(plain_kernels(), values, 0, ROWS, COLUMNS, &x);
    add(&hash, x.high, sizeof codes);
    add(&hash, x.low, sizeof codes);
    add(&hash, x.scales, sizeof scales / 2);
    add(&hash, x.sums, sizeof offsets);
    return hash;
}
