#ifndef TINY_OPENBLAS_SHIM_H
#define TINY_OPENBLAS_SHIM_H

#include <cblas.h>

// Exported by OpenBLAS when it was built for several core types, and in no header. Weak, so that a build for a single
// core type links too.
__attribute__((weak)) char *openblas_get_corename(void);
__attribute__((weak)) void gotoblas_dynamic_quit(void);
__attribute__((weak)) void gotoblas_dynamic_init(void);

// The core type whose kernels run; NULL where the library does not say.
static inline const char *tiny_openblas_core_type(void) {
    return openblas_get_corename ? openblas_get_corename() : 0;
}

// Chooses the core type again from the environment; false where the library has only one.
static inline _Bool tiny_openblas_choose_again(void) {
    if (!gotoblas_dynamic_quit || !gotoblas_dynamic_init) { return 0; }
    gotoblas_dynamic_quit();
    gotoblas_dynamic_init();
    return 1;
}

#endif
