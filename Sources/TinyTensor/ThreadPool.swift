import CTinyKernels
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The only owner of threads: runs one body on every part at once, and returns when all are done.
///
/// Workers spin for some fifty microseconds after each region, as the next one is usually that near, then sleep. Parts
/// are claimed, by the caller too: a worker that has lost its core to another process finds its part done when it is
/// back, and nobody waits for it. A region costs about a microsecond while the workers are awake and allocates nothing.
package final class ThreadPool: Sendable {
    package let threadCount: Int
    private let shared: Shared
    /// Who is told how long the caller waited. The regions of such a pool go another way, so that others need not ask.
    private let recorder: Recorder?

    /// - Parameters:
    ///   - threadCount: parts of a region; one less is the number of threads started. If the system gives fewer, there are
    ///     fewer parts.
    ///   - recorder: has a track for each thread.
    package init(threadCount: Int, recorder: Recorder? = nil) {
        precondition(threadCount >= 1, "a pool needs a thread")
        let threadCount = min(threadCount, 1024)
        let shared = Shared()
        self.shared = shared
        self.recorder = recorder
        shared.isBusy.store(recorder != nil, ordering: .relaxed)
        // Kernels keep up to some hundred kilobytes on the stack, more than some systems give a thread unasked.
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, 1 << 20)
        var started = 1  // the caller's own
        while started < threadCount {
            let start = Unmanaged.passRetained(Worker(shared, recorder, track: started))
            var thread = makeThreadHandle()
            guard pthread_create(&thread, &attributes, workerMain, start.toOpaque()) == 0 else {
                start.release()
                break
            }
            detach(thread)
            started += 1
        }
        self.threadCount = started
    }

    deinit {
        shared.stops.store(true, ordering: .releasing)
        _ = shared.start(region: nil, parts: 0)
    }

    /// What a part does: a function without surroundings, so that nothing is allocated to hold them, and the context that
    /// was handed to `run`.
    package typealias Body = @convention(c) (_ context: UnsafeRawPointer, _ part: Int) -> Void

    /// Calls `body(context, part)` for every part in `0..<threadCount`, on as many threads. Allocates nothing.
    ///
    /// If the pool is at work for someone else, the caller does all parts itself: the result is the same, as no part
    /// depends on another.
    ///
    /// - Parameter isEven: whether parts take about the same time. Where they do not, waiting for one says nothing about cores.
    package func run(_ context: UnsafeRawPointer, isEven: Bool = true, _ body: Body) {
        if threadCount == 1 { return body(context, 0) }
        if shared.isBusy.exchange(true, ordering: .acquiring) { return runOtherwise(context, isEven, body) }
        let begin = tk_nanoseconds()
        if shared.patience.worksAlone(at: begin) {
            for part in 0..<threadCount { body(context, part) }
        } else {
            shared.pending.store(threadCount, ordering: .relaxed)
            let generation = shared.start(region: Shared.Region(context: context, body: body), parts: threadCount)
            shared.work(generation)
            waitForOthers(begin, isEven)
        }
        shared.isBusy.store(false, ordering: .releasing)
    }

    /// Where the pool is at work for someone else, or records.
    @inline(never)
    private func runOtherwise(_ context: UnsafeRawPointer, _ isEven: Bool, _ body: Body) {
        guard let recorder, !shared.isRecording.exchange(true, ordering: .acquiring) else {
            for part in 0..<threadCount { body(context, part) }
            return
        }
        let begin = tk_nanoseconds()
        tk_record_region(recorder.handle)
        if shared.patience.worksAlone(at: begin) {
            for part in 0..<threadCount { body(context, part) }
        } else {
            shared.pending.store(threadCount, ordering: .relaxed)
            let generation = shared.start(region: Shared.Region(context: context, body: body), parts: threadCount)
            shared.work(generation)
            let waiting = tk_ticks()
            waitForOthers(begin, isEven)
            tk_record_waiting(recorder.handle, waiting)
        }
        shared.isRecording.store(false, ordering: .releasing)
    }

    /// The same with a value as context, which is lent: `body` finds it where its pointer points.
    package func run<Context: ~Copyable>(with context: borrowing Context, isEven: Bool = true, _ body: Body) {
        withUnsafePointer(to: context) { run(UnsafeRawPointer($0), isEven: isEven, body) }
    }

    /// The same with a closure, where an allocation does not matter.
    package func run(isEven: Bool = true, _ body: (_ part: Int) -> Void) {
        withoutActuallyEscaping(body) { escapable in
            run(with: escapable, isEven: isEven) { context, part in
                context.assumingMemoryBound(to: ((Int) -> Void).self).pointee(part)
            }
        }
    }

    /// Calls `body` for ranges that make up `0..<count`, on all threads; on the caller's alone if they fit one grain.
    package func forRanges(of count: Int, grain: Int = 1, _ body: (Range<Int>) -> Void) {
        if count <= grain { return body(0..<count) }
        run(isEven: Self.isEven(parts: threadCount, count: count, grain: grain)) { part in
            body(range(of: part, count: count, grain: grain))
        }
    }

    /// Whether the shares of `count` things are equal, or nearly so.
    static func isEven(parts: Int, count: Int, grain: Int) -> Bool {
        count.isMultiple(of: parts * grain) || count >= 8 * parts * grain
    }

    private func waitForOthers(_ begin: UInt64, _ isEven: Bool) {
        let end = tk_nanoseconds()
        var spins = 0
        while shared.pending.load(ordering: .acquiring) != 0 {
            spins += 1
            // A worker that lost its core in the middle of a part has to be waited for: let it have ours.
            if spins > 2000 { sched_yield() } else { tk_pause() }
        }
        if spins > 2000, isEven {
            let now = tk_nanoseconds()
            shared.patience.waited(now - end, afterWorking: end - begin, at: now)
        }
    }

    /// The share of `count` things for each thread, in multiples of `grain`.
    package func range(of part: Int, count: Int, grain: Int = 1) -> Range<Int> {
        Self.range(of: part, in: threadCount, count: count, grain: grain)
    }

    /// The same for any number of shares.
    package static func range(of part: Int, in parts: Int, count: Int, grain: Int = 1) -> Range<Int> {
        let grains = (count + grain - 1) / grain
        let first = grains * part / parts * grain
        let end = grains * (part + 1) / parts * grain
        return min(first, count)..<min(end, count)
    }
}

/// Shares of a region's work that threads claim one after the other: where cores are not equally fast, as with neighbours on
/// the same host, or where shares differ, nobody waits long for the last one.
package final class Shares: Sendable {
    private let claimed = Atomic<Int>(0)

    package init() {}

    /// Before each region.
    package func reset() { claimed.store(0, ordering: .relaxed) }

    /// The next one of `count`, or nil.
    package func next(of count: Int) -> Int? {
        let share = claimed.wrappingAdd(1, ordering: .relaxed).oldValue
        return share < count ? share : nil
    }
}

/// When to stop counting on the others. Where another process takes a core, a worker loses it for milliseconds, thousands of
/// times what a small region takes; working alone is faster, until the core is free again. How long is measured by what was
/// lost: a hiccup costs little more than itself, and only a core that stays taken is given up for longer.
struct Patience {
    /// Until when regions are done alone, in nanoseconds, and how long that was to be.
    private var (end, length): (UInt64, UInt64) = (0, 0)
    private var factor: UInt64 = 1
    private static let mostTimes: UInt64 = 16
    /// What was waited for longer was no lost core: the process was stopped, or the machine slept.
    private static let longestLoss: UInt64 = 20_000_000

    /// Whether a region that begins now is one to do alone.
    func worksAlone(at now: UInt64) -> Bool { now < end }

    /// - Parameters: nanoseconds that the others were waited for, and that the caller worked before.
    mutating func waited(_ waiting: UInt64, afterWorking working: UInt64, at now: UInt64) {
        if waiting < 300_000 || waiting < working { return }
        let waiting = min(waiting, Self.longestLoss)
        // Lost again, soon after the last time.
        factor = length > 0 && now < end + 2 * length + waiting ? min(2 * factor, Self.mostTimes) : 1
        length = waiting * factor
        end = now + length
    }
}

/// What the threads of a pool have in common.
private final class Shared: @unchecked Sendable {
    /// The region's number, the number of its parts, and how many of them are claimed, in one word: a part can only be
    /// claimed of the region that is under way.
    private let state = Atomic<UInt64>(0)
    private static let partBits: UInt64 = 12
    /// Parts that are not done.
    let pending = Atomic<Int>(0)
    let sleepers = Atomic<Int>(0)
    /// Always, where the pool records: then `isRecording` says whether it is at work.
    let isBusy = Atomic<Bool>(false)
    let isRecording = Atomic<Bool>(false)
    /// Belongs to whoever set `isBusy`, or `isRecording`.
    nonisolated(unsafe) var patience = Patience()
    let stops = Atomic<Bool>(false)
    struct Region {
        let context: UnsafeRawPointer
        let body: ThreadPool.Body
    }

    /// Written before `state` says so, read after a part was claimed.
    nonisolated(unsafe) private var region: Region?
    private let mutex: UnsafeMutablePointer<pthread_mutex_t> = .allocate(capacity: 1)
    private let condition: UnsafeMutablePointer<pthread_cond_t> = .allocate(capacity: 1)

    init() {
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_mutex_destroy(mutex)
        pthread_cond_destroy(condition)
        mutex.deallocate()
        condition.deallocate()
    }

    /// Opens a region, and returns its number.
    func start(region: Region?, parts: Int) -> UInt64 {
        self.region = region
        // The number begins anew when its forty bits are full; nobody sleeps that long.
        let generation = ((state.load(ordering: .relaxed) >> (2 * Self.partBits)) + 1) & ((1 << 40) - 1)
        // Sequentially consistent, as are the sleeper's steps: either it sees the new region, or we see it asleep.
        state.store(
            generation << (2 * Self.partBits) | UInt64(parts) << Self.partBits, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
            pthread_mutex_lock(mutex)
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return generation
    }

    /// Does parts of a region until none is left.
    func work(_ generation: UInt64) {
        while let part = claim(generation), let region {
            region.body(region.context, part)
            pending.wrappingSubtract(1, ordering: .releasing)
        }
    }

    private func claim(_ generation: UInt64) -> Int? {
        let mask = (1 as UInt64) << Self.partBits - 1
        var now = state.load(ordering: .acquiring)
        while now >> (2 * Self.partBits) == generation, now & mask < now >> Self.partBits & mask {
            let (exchanged, original) = state.weakCompareExchange(
                expected: now, desired: now + 1, ordering: .acquiringAndReleasing)
            if exchanged { return Int(now & mask) }
            now = original
        }
        return nil
    }

    /// Waits for a region after the one with this number, and returns its number.
    func wait(after seen: UInt64) -> UInt64 {
        for _ in 0..<2000 {
            let now = state.load(ordering: .acquiring) >> (2 * Self.partBits)
            if now != seen { return now }
            tk_pause()
        }
        pthread_mutex_lock(mutex)
        sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while state.load(ordering: .sequentiallyConsistent) >> (2 * Self.partBits) == seen {
            pthread_cond_wait(condition, mutex)
        }
        sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        pthread_mutex_unlock(mutex)
        return state.load(ordering: .acquiring) >> (2 * Self.partBits)
    }
}

/// What a worker is given.
private final class Worker: Sendable {
    let shared: Shared
    let recorder: Recorder?
    let track: Int

    init(_ shared: Shared, _ recorder: Recorder?, track: Int) {
        (self.shared, self.recorder, self.track) = (shared, recorder, track)
    }
}

/// Runs a body on a thread of its own, for as long as it takes.
///
/// - Returns: false if the system gives no thread; nothing has been run then.
package func startThread(_ body: @escaping @Sendable () -> Void) -> Bool {
    let start = Unmanaged.passRetained(Errand(body))
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    // It may do a part of any region.
    pthread_attr_setstacksize(&attributes, 1 << 20)
    var thread = makeThreadHandle()
    guard pthread_create(&thread, &attributes, errandMain, start.toOpaque()) == 0 else {
        start.release()
        return false
    }
    detach(thread)
    return true
}

private final class Errand: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// A worker's life.
private func live(_ worker: Worker) {
    let shared = worker.shared
    if let recorder = worker.recorder { tk_recorder_enter(recorder.handle, Int32(worker.track)) }
    var seen: UInt64 = 0
    while true {
        seen = shared.wait(after: seen)
        if shared.stops.load(ordering: .acquiring) { return }
        shared.work(seen)
    }
}

#if canImport(Darwin)
    private func makeThreadHandle() -> pthread_t? { nil }
    private func detach(_ thread: pthread_t?) { if let thread { pthread_detach(thread) } }
    private let workerMain: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { pointer in
        live(Unmanaged<Worker>.fromOpaque(pointer).takeRetainedValue())
        return nil
    }
    private let errandMain: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { pointer in
        Unmanaged<Errand>.fromOpaque(pointer).takeRetainedValue().body()
        return nil
    }
#else
    private func makeThreadHandle() -> pthread_t { pthread_t() }
    private func detach(_ thread: pthread_t) { pthread_detach(thread) }
    private let workerMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
        guard let pointer else { return nil }
        live(Unmanaged<Worker>.fromOpaque(pointer).takeRetainedValue())
        return nil
    }
    private let errandMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
        guard let pointer else { return nil }
        Unmanaged<Errand>.fromOpaque(pointer).takeRetainedValue().body()
        return nil
    }
#endif
