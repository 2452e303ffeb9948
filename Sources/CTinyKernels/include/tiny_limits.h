// What the machine can do at most: reading memory, and arithmetic that waits for nothing.
#ifndef TINY_LIMITS_H
#define TINY_LIMITS_H

#include "tiny_kernels.h"

// Reads all of it, and returns something that depends on all.
uint64_t tk_read_memory(const void *memory, long bytes);

// The same work each time, of steps that wait for one another: what it takes says how fast the processor is just now.
void tk_same_work(long steps);

// A loop that does nothing but arithmetic, in registers or tiles.
typedef struct {
    const char *name;
    double operations;           // a round, a multiply-add counting as two
    bool (*is_supported)(void);
    double (*run)(long rounds);  // a result that depends on all of them
} tk_limit;

// All limits this build has loops for; NULL past the end.
const tk_limit *tk_limit_at(int index);

#endif
