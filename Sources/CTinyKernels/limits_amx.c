// The tile unit of x86-64: four products for four tiles of operands, all of them loaded once.
#if defined(__x86_64__)
#include "include/tiny_limits.h"

#include <immintrin.h>

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>

// The kernel saves the tiles of those only who asked for them, once a process; unasked, the first instruction kills.
static bool may_use_tiles(void) {
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}
#else
static bool may_use_tiles(void) { return false; }
#endif

typedef struct {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_configuration;
_Static_assert(sizeof(tile_configuration) == 64, "as the instruction reads it");

#define LOOP(NAME, TARGET, PRODUCT)                                                                                    \
    __attribute__((target(TARGET))) static double NAME(long rounds) {                                                  \
        static const uint8_t operand[16 * 64];                                                                         \
        tile_configuration all = {.palette = 1};                                                                       \
        for (int t = 0; t < 8; t++) { all.row_bytes[t] = 64, all.rows[t] = 16; }                                       \
        _tile_loadconfig(&all);                                                                                        \
        _tile_zero(0), _tile_zero(1), _tile_zero(2), _tile_zero(3);                                                    \
        _tile_loadd(4, operand, 64), _tile_loadd(5, operand, 64);                                                      \
        _tile_loadd(6, operand, 64), _tile_loadd(7, operand, 64);                                                      \
        for (long i = 0; i < rounds; i++) { PRODUCT(0, 4, 6), PRODUCT(1, 4, 7), PRODUCT(2, 5, 6), PRODUCT(3, 5, 7); }  \
        float sums[16 * 16];                                                                                           \
        _tile_stored(0, sums, 64);                                                                                     \
        _tile_release();                                                                                               \
        return (double)sums[0];                                                                                        \
    }
LOOP(amx_bf16, "amx-tile,amx-bf16", _tile_dpbf16ps)
LOOP(amx_int8, "amx-tile,amx-int8", _tile_dpbusd)

static bool has_bf16(void) {
    return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") && may_use_tiles();
}
static bool has_int8(void) {
    return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-int8") && may_use_tiles();
}

const tk_limit tk_amx_bf16 = {"AMX bf16", 4 * 16 * 16 * 32 * 2, has_bf16, amx_bf16};
const tk_limit tk_amx_int8 = {"AMX 8 bits", 4 * 16 * 16 * 64 * 2, has_int8, amx_int8};

#endif
