#ifndef LIMITS_H
#define LIMITS_H

// What one input may cost, and what the costliest ones did.

/// Counts memory from here on; `megabytes` is what one input may hold at a time, `seconds` its share of a processor.
void limits_start(long megabytes, double seconds);

/// Brackets the work on one input. The end aborts the process, which makes the fuzzer keep the input, where the work took
/// longer than it may. Too much memory aborts where it is asked for. `ended_well`: no error was thrown.
void limits_begin(void);
void limits_end(int ended_well);

#endif
