package import CTinyKernels

/// Notes where time goes: every kernel that runs, on which thread, what bytes it asked for and how much it computed.
///
/// A `Compute` made with it uses a table of kernels that record, and a pool that notes who waited. Others use the kernels
/// themselves and pay nothing.
package final class Recorder: @unchecked Sendable {
    let handle: OpaquePointer
    package let threads: Int

    /// - Parameter events: how many single events are kept for each thread; 0 keeps sums only.
    init?(kernels: CPU.Kernels, threads: Int, layers: Int, events: Int) {
        guard let handle = tk_recorder_make(kernels.table, Int32(threads), layers, events) else { return nil }
        self.handle = handle
        self.threads = threads
    }

    deinit { tk_recorder_free(handle) }

    var kernels: CPU.Kernels { CPU.Kernels(table: tk_recorder_kernels(handle)) }

    package var recording: Recording { Recording(handle: handle) }

    // What was recorded; nobody may be recording meanwhile.

    package func clear() { tk_recorder_clear(handle) }

    package func entries(thread: Int) -> UnsafeBufferPointer<tk_entry> {
        var count = 0
        let entries = tk_recorder_entries(handle, Int32(thread), &count)
        return UnsafeBufferPointer(start: entries, count: count)
    }

    /// - Returns: events in the order of their ends, and how many there was no room for.
    package func events(thread: Int) -> (UnsafeBufferPointer<tk_event>, dropped: Int) {
        var (count, dropped) = (0, 0)
        let events = tk_recorder_events(handle, Int32(thread), &count, &dropped)
        return (UnsafeBufferPointer(start: events, count: count), dropped)
    }

    /// Seconds that a tick takes.
    package var secondsPerTick: Double { tk_recorder_tick(handle) * 1e-9 }

    /// When the recorder was made, in ticks.
    package var start: UInt64 { tk_recorder_start(handle) }
}

/// A recorder, as the calling thread writes to it. It owns nothing, so that to have none costs a comparison.
package struct Recording: @unchecked Sendable {
    let handle: OpaquePointer

    /// Whether a prompt is read, or tokens are decoded; then what is opened belongs to that.
    package func section(_ phase: Phase) { tk_record_section(handle, phase == .prompt ? 0 : 1) }

    package func begin(_ span: tk_span) { tk_record_begin(handle, span) }
    package func end() { tk_record_end(handle) }

    /// The layer that begins; nil where the last has ended.
    package func layer(_ layer: Int?) { tk_record_layer(handle, Int32(layer ?? -1)) }

    /// Until `leave` the calling thread is the one that records.
    package func enter() { tk_recorder_enter(handle, 0) }
    package func leave() { tk_recorder_leave() }
}

extension Compute {
    /// The same kernels on as many threads, each of which records.
    ///
    /// - Returns: nil where there is no memory for it.
    package func recording(layers: Int, events: Int) -> (Compute, Recorder)? {
        guard
            let recorder = Recorder(kernels: kernels, threads: pool.threadCount, layers: layers, events: events)
        else { return nil }
        return (Compute(self, recorder: recorder), recorder)
    }
}
