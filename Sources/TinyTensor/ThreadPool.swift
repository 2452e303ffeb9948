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
/// Workers spin for some fifty microseconds after each region, as the next one is usually that near, then sleep. The
/// caller does part 0 itself. A region costs about a microsecond while the workers are awake and allocates nothing.
package final class ThreadPool: Sendable {
    package let threadCount: Int
    private let shared: Shared

    /// - Parameter threadCount: parts of a region; one less is the number of threads started. If the system gives fewer,
    ///   there are fewer parts.
    package init(threadCount: Int) {
        precondition(threadCount >= 1, "a pool needs a thread")
        let shared = Shared()
        self.shared = shared
        var started = 1  // the caller's own
        while started < threadCount {
            let start = Unmanaged.passRetained(WorkerStart(shared: shared, part: started))
            var thread = makeThreadHandle()
            guard pthread_create(&thread, nil, workerMain, start.toOpaque()) == 0 else {
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
        shared.start(region: nil)
    }

    /// Calls `body(part)` for every part in `0..<threadCount`, on as many threads.
    ///
    /// If the pool is at work for someone else, the caller does all parts itself: the result is the same, as no part
    /// depends on another.
    package func run(_ body: (_ part: Int) -> Void) {
        if threadCount == 1 { return body(0) }
        if shared.isBusy.exchange(true, ordering: .acquiring) {
            for part in 0..<threadCount { body(part) }
            return
        }
        withoutActuallyEscaping(body) { escapable in
            withUnsafePointer(to: escapable) { pointer in
                shared.pending.store(threadCount - 1, ordering: .relaxed)
                shared.start(region: UnsafeRawPointer(pointer))
                body(0)
                var spins = 0
                while shared.pending.load(ordering: .acquiring) != 0 {
                    spins += 1
                    // A worker that lost its core would be waited for in vain: let it have ours.
                    if spins > 2000 { sched_yield() } else { tk_pause() }
                }
            }
        }
        shared.isBusy.store(false, ordering: .releasing)
    }

    /// The parts of `count` things for each thread, in multiples of `grain`.
    package func range(of part: Int, count: Int, grain: Int = 1) -> Range<Int> {
        let grains = (count + grain - 1) / grain
        let first = grains * part / threadCount * grain
        let end = grains * (part + 1) / threadCount * grain
        return min(first, count)..<min(end, count)
    }
}

/// What the threads of a pool have in common.
private final class Shared: @unchecked Sendable {
    let generation = Atomic<Int>(0)
    let pending = Atomic<Int>(0)
    let sleepers = Atomic<Int>(0)
    let isBusy = Atomic<Bool>(false)
    let stops = Atomic<Bool>(false)
    /// The region's body; written before `generation` rises, read after.
    nonisolated(unsafe) var region: UnsafeRawPointer?
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

    func start(region: UnsafeRawPointer?) {
        self.region = region
        // Sequentially consistent, as are the sleeper's steps: either it sees the new generation, or we see it asleep.
        generation.wrappingAdd(1, ordering: .sequentiallyConsistent)
        if sleepers.load(ordering: .sequentiallyConsistent) > 0 {
            pthread_mutex_lock(mutex)
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
    }

    /// Waits until the generation is no longer `seen`, and returns the new one.
    func wait(after seen: Int) -> Int {
        for _ in 0..<2000 {
            let now = generation.load(ordering: .acquiring)
            if now != seen { return now }
            tk_pause()
        }
        pthread_mutex_lock(mutex)
        sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
        while generation.load(ordering: .sequentiallyConsistent) == seen { pthread_cond_wait(condition, mutex) }
        sleepers.wrappingSubtract(1, ordering: .sequentiallyConsistent)
        pthread_mutex_unlock(mutex)
        return generation.load(ordering: .acquiring)
    }
}

private final class WorkerStart {
    let shared: Shared
    let part: Int

    init(shared: Shared, part: Int) {
        self.shared = shared
        self.part = part
    }
}

private func work(_ start: WorkerStart) {
    var seen = 0
    while true {
        seen = start.shared.wait(after: seen)
        if start.shared.stops.load(ordering: .acquiring) { return }
        guard let region = start.shared.region else { continue }
        region.assumingMemoryBound(to: ((Int) -> Void).self).pointee(start.part)
        start.shared.pending.wrappingSubtract(1, ordering: .releasing)
    }
}

#if canImport(Darwin)
    private func makeThreadHandle() -> pthread_t? { nil }
    private func detach(_ thread: pthread_t?) { if let thread { pthread_detach(thread) } }
    private let workerMain: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { pointer in
        work(Unmanaged<WorkerStart>.fromOpaque(pointer).takeRetainedValue())
        return nil
    }
#else
    private func makeThreadHandle() -> pthread_t { pthread_t() }
    private func detach(_ thread: pthread_t) { pthread_detach(thread) }
    private let workerMain: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { pointer in
        guard let pointer else { return nil }
        work(Unmanaged<WorkerStart>.fromOpaque(pointer).takeRetainedValue())
        return nil
    }
#endif
