// What recorder.c and recorded.c share.
#ifndef TINY_RECORDER_INTERNAL_H
#define TINY_RECORDER_INTERNAL_H

#include "include/tiny_recorder.h"

enum { DEEPEST = 8 };

// Something that is open, on the calling thread.
typedef struct {
    int entry;
    tk_span span;
    uint64_t begin, inside;  // ticks of what is inside, which do not count for it
} tk_frame;

typedef struct {
    tk_recorder *recorder;
    const tk_kernels *kernels;  // the real ones
    tk_entry *entries;
    int *slots;                 // a hash table of entries, −1 where there is none
    long entry_count, entry_capacity, slot_mask;
    tk_event *events;
    long event_count, event_capacity, dropped;
    // The kernel that is running, or ran last: the next one like it goes on with it.
    tk_event current;
    tk_span span;
    tk_type type;
    long rows, columns;
    uint64_t epoch;
    bool is_open;
    bool is_stale;              // whether the last of its calls ended after the time that is noted
    long row;                   // calls of the open event
    // What took longest in this region.
    int heaviest;
    uint64_t heaviest_ticks;
    tk_frame frames[DEEPEST];
    int depth;
    char padding[64];           // so that threads do not write to one line of the cache
} tk_track;

struct tk_recorder {
    tk_kernels kernels;  // those that record
    const tk_kernels *real;
    int track_count;
    tk_track *tracks;
    // Written by the calling thread between regions, and read by all in them.
    uint64_t epoch;
    int section, layer;
    bool in_layer;
    uint64_t start_ticks, start;
};

// This thread's track.
extern _Thread_local tk_track *tk_here;

// Writes down what is open.
void tk_track_close(tk_track *it);

// The table that records, for these kernels.
tk_kernels tk_recording(const tk_kernels *real);

#endif
