// Tracks, and what is written to them.
#include "recorder.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <x86intrin.h>

uint64_t tk_ticks(void) {
    // 1: it runs at one speed, whatever the cores do; 2: it does not.
    static int is_constant = 0;
    if (__builtin_expect(is_constant == 0, 0)) {
        unsigned a, b, c, d = 0;
        is_constant = __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1) ? 1 : 2;
    }
    return is_constant == 1 ? __rdtsc() : tk_nanoseconds();
}
#elif defined(__aarch64__)
uint64_t tk_ticks(void) {
    uint64_t ticks;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}
#else
uint64_t tk_ticks(void) { return tk_nanoseconds(); }
#endif

_Thread_local tk_track *tk_here = NULL;

// --- Making ---

static bool make_track(tk_track *it, tk_recorder *recorder, const tk_kernels *kernels, long entries, long events) {
    *it = (tk_track){.recorder = recorder, .kernels = kernels, .heaviest = -1};
    long slots = 1;
    while (slots < 2 * entries) { slots *= 2; }
    it->entries = calloc((size_t)entries, sizeof(tk_entry));
    it->slots = malloc((size_t)slots * sizeof(int));
    // The system gives pages as they are touched.
    it->events = events > 0 ? calloc((size_t)events, sizeof(tk_event)) : NULL;
    it->entry_capacity = entries;
    it->event_capacity = events;
    it->slot_mask = slots - 1;
    return it->entries && it->slots && (it->events || events == 0);
}

tk_recorder *tk_recorder_make(const tk_kernels *kernels, int tracks, long layers, long events) {
    // Some thirty kinds and shapes of a layer, and with mixtures and latent projections a few more, in two sections.
    const long entries = 128 * (layers + 4);
    tk_recorder *it = calloc(1, sizeof *it);
    if (!it) { return NULL; }
    it->tracks = calloc((size_t)tracks, sizeof(tk_track));
    it->track_count = it->tracks ? tracks : 0;
    bool is_made = it->tracks != NULL;
    for (int track = 0; track < it->track_count; track++) {
        is_made = make_track(&it->tracks[track], it, kernels, entries, events) && is_made;
    }
    if (!is_made) {
        tk_recorder_free(it);
        return NULL;
    }
    it->real = kernels;
    it->kernels = tk_recording(kernels);
    it->start_ticks = tk_ticks();
    it->start = tk_nanoseconds();
    tk_recorder_clear(it);
    return it;
}

void tk_recorder_free(tk_recorder *recorder) {
    if (!recorder) { return; }
    for (int track = 0; track < recorder->track_count; track++) {
        free(recorder->tracks[track].entries);
        free(recorder->tracks[track].slots);
        free(recorder->tracks[track].events);
    }
    free(recorder->tracks);
    free(recorder);
}

void tk_recorder_clear(tk_recorder *recorder) {
    for (int track = 0; track < recorder->track_count; track++) {
        tk_track *it = &recorder->tracks[track];
        it->entry_count = it->event_count = it->dropped = 0;
        it->is_open = false;
        it->heaviest = -1;
        it->depth = 0;
        memset(it->slots, 0xFF, (size_t)(it->slot_mask + 1) * sizeof(int));
    }
    recorder->epoch++;
    recorder->section = 0;
    recorder->layer = -1;
    recorder->in_layer = false;
}

const tk_kernels *tk_recorder_kernels(const tk_recorder *recorder) { return &recorder->kernels; }

void tk_recorder_enter(tk_recorder *recorder, int track) { tk_here = &recorder->tracks[track]; }
void tk_recorder_leave(void) { tk_here = NULL; }

// --- Entries and events ---

// The last place is kept for what finds none.
static int entry_of(tk_track *it, tk_span span, tk_type type, long rows, long columns) {
    const int section = it->recorder->section, layer = it->recorder->layer;
    uint64_t hash = (uint64_t)span * 31 + (uint64_t)type;
    hash = (hash * 1000003 + (uint64_t)rows) * 1000003 + (uint64_t)columns;
    hash = (hash * 131 + (uint64_t)(layer + 1)) * 2 + (uint64_t)section;
    hash ^= hash >> 29;
    hash *= 0x9E3779B97F4A7C15u;
    for (long slot = (long)(hash >> 20) & it->slot_mask;; slot = (slot + 1) & it->slot_mask) {
        int index = it->slots[slot];
        if (index >= 0) {
            const tk_entry *e = &it->entries[index];
            if (e->span == span && e->type == type && e->rows == rows && e->columns == columns && e->layer == layer
                && e->section == section) { return index; }
            continue;
        }
        if (it->entry_count >= it->entry_capacity - 2) {
            // One for each section.
            index = (int)it->entry_capacity - 2 + section;
            if (it->entry_count == it->entry_capacity - 2) {
                for (int s = 0; s < 2; s++) {
                    it->entries[it->entry_count + s] = (tk_entry){.span = TK_SPAN_OTHER, .section = s, .layer = -1};
                }
                it->entry_count = it->entry_capacity;
            }
            return index;
        }
        index = (int)it->entry_count++;
        it->entries[index] = (tk_entry){.span = span, .type = type, .rows = rows, .columns = columns,
                                        .section = section, .layer = layer};
        it->slots[slot] = index;
        return index;
    }
}

static void add_event(tk_track *it, tk_event event) {
    if (it->event_count < it->event_capacity) {
        it->events[it->event_count++] = event;
    } else if (it->event_capacity > 0) {
        it->dropped++;
    }
}

void tk_track_close(tk_track *it) {
    if (!it->is_open) { return; }
    it->is_open = false;
    tk_entry *entry = &it->entries[it->current.entry];
    uint64_t ticks = it->current.end - it->current.begin;
    entry->ticks += ticks;
    entry->calls += it->current.calls;
    entry->bytes += it->current.bytes;
    entry->operations += it->current.operations;
    if (it->depth > 0) { it->frames[it->depth - 1].inside += ticks; }
    if (ticks >= it->heaviest_ticks) {
        it->heaviest_ticks = ticks;
        it->heaviest = it->current.entry;
    }
    add_event(it, it->current);
}

// Where the time of a long row of calls was not taken at the last of them, on a thread that has done nothing since.
static void close_now(tk_track *it) {
    if (it->is_open && it->is_stale) { it->current.end = tk_ticks(); }
    it->is_stale = false;
    tk_track_close(it);
}

void tk_record_kernel_begin(tk_span span, tk_type type, long rows, long columns) {
    tk_track *it = tk_here;
    if (it->is_open) {
        if (it->span == span && it->type == type && it->rows == rows && it->columns == columns
            && it->epoch == it->recorder->epoch) { return; }
        // In another region a thread has waited since.
        if (it->epoch != it->recorder->epoch) { it->is_stale = false; }
        close_now(it);
    }
    it->row = 0;
    it->is_stale = false;
    it->span = span, it->type = type, it->rows = rows, it->columns = columns;
    it->epoch = it->recorder->epoch;
    it->current = (tk_event){.entry = entry_of(it, span, type, rows, columns)};
    it->is_open = true;
    it->current.begin = tk_ticks();
}

void tk_record_kernel_end(double calls, double bytes, double operations) {
    tk_track *it = tk_here;
    // In a long row of calls, a norm's or a rotation's, one in eight is enough: to take the time costs as much as some do.
    it->is_stale = ++it->row > 64 && it->row % 8 != 0;
    if (!it->is_stale) { it->current.end = tk_ticks(); }
    it->current.calls += calls;
    it->current.bytes += bytes;
    it->current.operations += operations;
}

// --- What the calling thread does ---

void tk_record_begin(tk_recorder *recorder, tk_span span) {
    tk_track *it = &recorder->tracks[0];
    close_now(it);
    if (it->depth == DEEPEST) { __builtin_trap(); }
    it->frames[it->depth++] = (tk_frame){.entry = entry_of(it, span, 0, 0, 0), .span = span, .begin = tk_ticks()};
}

void tk_record_end(tk_recorder *recorder) {
    tk_track *it = &recorder->tracks[0];
    close_now(it);
    if (it->depth == 0) { __builtin_trap(); }
    const tk_frame frame = it->frames[--it->depth];
    const uint64_t end = tk_ticks(), ticks = end - frame.begin;
    tk_entry *entry = &it->entries[frame.entry];
    entry->calls += 1;
    const bool holds = frame.span >= TK_SPAN_SECTION;
    entry->ticks += holds ? ticks : ticks - frame.inside;
    if (it->depth > 0) { it->frames[it->depth - 1].inside += ticks; }
    add_event(it, (tk_event){.begin = frame.begin, .end = end, .calls = 1, .entry = frame.entry});
}

void tk_record_section(tk_recorder *recorder, int section) {
    close_now(&recorder->tracks[0]);
    recorder->section = section;
    recorder->epoch++;
}

void tk_record_layer(tk_recorder *recorder, int layer) {
    if (recorder->in_layer) { tk_record_end(recorder); }
    close_now(&recorder->tracks[0]);
    recorder->layer = layer;
    recorder->in_layer = layer >= 0;
    recorder->epoch++;
    if (layer >= 0) { tk_record_begin(recorder, TK_SPAN_LAYER); }
}

void tk_record_region(tk_recorder *recorder) {
    tk_track *it = &recorder->tracks[0];
    close_now(it);
    it->heaviest = -1;
    it->heaviest_ticks = 0;
    recorder->epoch++;
}

void tk_record_waiting(tk_recorder *recorder, uint64_t waiting) {
    tk_track *it = &recorder->tracks[0];
    if (it->is_open && it->is_stale) { it->current.end = waiting; }
    it->is_stale = false;
    tk_track_close(it);
    const uint64_t end = tk_ticks(), ticks = end - waiting;
    if (it->heaviest >= 0) { it->entries[it->heaviest].waiting += ticks; }
    it->current = (tk_event){.begin = waiting, .end = end, .calls = 1, .entry = entry_of(it, TK_SPAN_WAITING, 0, 0, 0)};
    it->span = TK_SPAN_WAITING;
    it->is_open = true;
    tk_track_close(it);
    recorder->epoch++;
}

// --- Reading ---


const tk_entry *tk_recorder_entries(tk_recorder *recorder, int track, long *count) {
    tk_track *it = &recorder->tracks[track];
    tk_track_close(it);
    *count = it->entry_count;
    return it->entries;
}

const tk_event *tk_recorder_events(tk_recorder *recorder, int track, long *count, long *dropped) {
    tk_track *it = &recorder->tracks[track];
    tk_track_close(it);
    *count = it->event_count;
    *dropped = it->dropped;
    return it->events;
}

double tk_recorder_tick(const tk_recorder *recorder) {
    const uint64_t ticks = tk_ticks() - recorder->start_ticks;
    return ticks == 0 ? 1 : (double)(tk_nanoseconds() - recorder->start) / (double)ticks;
}

uint64_t tk_recorder_start(const tk_recorder *recorder) { return recorder->start_ticks; }
