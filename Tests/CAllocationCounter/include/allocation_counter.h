#ifndef ALLOCATION_COUNTER_H
#define ALLOCATION_COUNTER_H

#include <stdbool.h>

// Counts what the whole process takes from the heap between start and stop. Linux only, and not under sanitizers, which
// have an allocator of their own: there it is not available and counts nothing.
bool allocation_counter_is_available(void);
void allocation_counter_start(void);
long allocation_counter_stop(void);

#endif
