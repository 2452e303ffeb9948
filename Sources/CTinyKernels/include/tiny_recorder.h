// Where time goes. A recorder has a table of kernels of its own, each of which calls the real one and notes when it began
// and ended, what bytes it asked for and how much it computed. Whoever does not record uses the real table, and so pays
// nothing at all.
//
// Each thread writes to a track of its own, in memory that is there from the start: nothing is allocated or locked.
#ifndef TINY_RECORDER_H
#define TINY_RECORDER_H

#include "tiny_kernels.h"

typedef enum {
    // Kernels, which do not nest: one that calls another counts for both.
    TK_SPAN_MATMUL,      // products in vectors: type, rows and columns say of what
    TK_SPAN_TILES,       // the same in tiles
    TK_SPAN_ROUNDING,    // activations, as kernels of products take them
    TK_SPAN_SCORES,      // attention between its projections
    TK_SPAN_CACHE,       // keys and values written, and packed for prompts
    TK_SPAN_NORM,
    TK_SPAN_ROTATION,
    TK_SPAN_ACTIVATION,
    TK_SPAN_ADDITION,    // sums and multiples of rows: biases and branches
    TK_SPAN_SOFTMAX,     // a router's
    TK_SPAN_CAP,
    // What the calling thread does besides; kernels inside do not count for it.
    TK_SPAN_EMBEDDING,
    TK_SPAN_SAMPLING,
    TK_SPAN_TOKENIZER,
    // The calling thread's, at the end of what it shares with others.
    TK_SPAN_WAITING,
    // What had no room in the table of entries.
    TK_SPAN_OTHER,
    // What all of it is part of.
    TK_SPAN_SECTION,
    TK_SPAN_PASS,
    TK_SPAN_LAYER,
} tk_span;

// What was done alike: one for each kind, matrix, section and layer.
typedef struct {
    tk_span span;
    tk_type type;
    long rows, columns;  // of a product's matrix, 0 for others
    int section;         // 0 a prompt, 1 decoding
    int layer;           // −1 outside of layers
    double calls;        // a share of a product counts for as much of a call as it has of the rows
    double bytes, operations;
    uint64_t ticks;      // but for sections, passes and layers without what was inside
    uint64_t waiting;    // ticks that others were waited for in regions that this took most of
} tk_entry;

// Something that happened once, or one after the other without anything between.
typedef struct {
    uint64_t begin, end;  // ticks
    double calls, bytes, operations;
    int entry;            // of the same track
} tk_event;

typedef struct tk_recorder tk_recorder;

// `tracks` threads; events are kept for so many a track, 0 for none. NULL where there is no memory.
tk_recorder *tk_recorder_make(const tk_kernels *kernels, int tracks, long layers, long events);
void tk_recorder_free(tk_recorder *recorder);
// Forgets all that was recorded.
void tk_recorder_clear(tk_recorder *recorder);

// The kernels that record. They run only on threads that have entered.
const tk_kernels *tk_recorder_kernels(const tk_recorder *recorder);

// This thread writes to a track, until it leaves; the calling thread's is track 0.
void tk_recorder_enter(tk_recorder *recorder, int track);
void tk_recorder_leave(void);

// On the calling thread, between entering and leaving.

// Opens a section, a pass or one of what is done besides kernels; they nest, at most eight deep.
void tk_record_begin(tk_recorder *recorder, tk_span span);
void tk_record_end(tk_recorder *recorder);
void tk_record_section(tk_recorder *recorder, int section);
// The layer that begins, −1 for none: the one before has ended.
void tk_record_layer(tk_recorder *recorder, int layer);
// Before and after a region of several threads; `waiting` is when the calling thread had nothing more to do.
void tk_record_region(tk_recorder *recorder);
void tk_record_waiting(tk_recorder *recorder, uint64_t waiting);
// A kernel that is not in the table.
void tk_record_kernel_begin(tk_span span, tk_type type, long rows, long columns);
void tk_record_kernel_end(double calls, double bytes, double operations);

// What was recorded; nobody may be recording. Pointers hold until the next call of any of these.
const tk_entry *tk_recorder_entries(tk_recorder *recorder, int track, long *count);
const tk_event *tk_recorder_events(tk_recorder *recorder, int track, long *count, long *dropped);
// Nanoseconds of a tick, measured since the recorder was made, and when that was.
double tk_recorder_tick(const tk_recorder *recorder);
uint64_t tk_recorder_start(const tk_recorder *recorder);

// A counter that every core has alike: the processor's own where it never changes its speed, else nanoseconds.
uint64_t tk_ticks(void);

#endif
