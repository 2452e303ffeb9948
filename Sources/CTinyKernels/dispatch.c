// The instruction sets of this build, best first.
#include "kernels.h"

static const tk_variant *const variants[] = {
#if defined(__x86_64__)
    &tk_x86_amx,
    &tk_x86_avx512vnni,
    &tk_x86_avx2,
#elif defined(__aarch64__)
    &tk_arm_dotprod,
#endif
    &tk_plain,
};

const tk_kernels *tk_kernels_at(int index) {
    int count = sizeof variants / sizeof variants[0];
    return index < count ? &variants[index]->kernels : NULL;
}

bool tk_is_supported(const tk_kernels *kernels) { return ((const tk_variant *)kernels)->is_supported(); }
