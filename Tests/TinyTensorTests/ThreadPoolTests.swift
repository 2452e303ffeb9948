import Synchronization
import Testing

@testable import TinyTensor

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// How often each part ran.
private final class Counts: Sendable {
    private let counts: Mutex<[Int]>
    init(_ parts: Int) { counts = Mutex([Int](repeating: 0, count: parts)) }
    func add(_ part: Int) { counts.withLock { $0[part] += 1 } }
    var values: [Int] { counts.withLock { $0 } }
}

@Suite(.timeLimit(.minutes(1))) struct ThreadPoolTests {
    @Test(arguments: [1, 2, 3, 8]) func everyPartRunsOnce(_ threads: Int) {
        let pool = ThreadPool(threadCount: threads)
        let counts = Counts(threads)
        pool.run { counts.add($0) }
        #expect(counts.values == [Int](repeating: 1, count: threads))
        #expect(pool.threadCount == threads)
    }

    /// Ten thousand in a row, now and then after a pause in which the workers fall asleep. One worker: with more threads
    /// than cores this would measure the system's scheduler.
    @Test func manyRegions() {
        let threads = 2
        let pool = ThreadPool(threadCount: threads)
        let total = Atomic<Int>(0)
        for round in 0..<10_000 {
            pool.run { total.wrappingAdd($0 + 1, ordering: .relaxed) }
            if round % 1000 == 999 { usleep(2000) }
        }
        #expect(total.load(ordering: .sequentiallyConsistent) == 10_000 * threads * (threads + 1) / 2)
    }

    /// What the parts wrote is there when the region ends, and what was written before it is seen inside.
    @Test func writesAreSeen() {
        let pool = ThreadPool(threadCount: 3)
        let memory = UnsafeMutableBufferPointer<Int>.allocate(capacity: 3)
        defer { memory.deallocate() }
        nonisolated(unsafe) let cells = memory
        cells.initialize(repeating: 0)
        for round in 1...1000 {
            pool.run { part in cells[part] = cells[part] + round }
            for part in 0..<3 where cells[part] != round * (round + 1) / 2 {
                Issue.record("part \(part) has \(cells[part]) in round \(round)")
                return
            }
        }
    }

    @Test func differentThreads() {
        let pool = ThreadPool(threadCount: 2)
        let threads = Mutex<[String]>([])
        let begun = Atomic<Int>(0)
        pool.run { _ in
            let me = String(describing: pthread_self())
            threads.withLock { $0.append(me) }
            // Whoever has a part waits for the other, so that no thread can do both.
            begun.wrappingAdd(1, ordering: .sequentiallyConsistent)
            while begun.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
        }
        #expect(Set(threads.withLock { $0 }).count == 2)
    }

    /// Waiting for a worker that lost its core ends in working alone for a while, longer each time, and calm ends that.
    @Test func patience() {
        var patience = Patience()
        #expect(!patience.worksAlone(at: 0))
        patience.waited(100_000, afterWorking: 10, at: 1_000_000)  // not worth it
        patience.waited(900_000, afterWorking: 1_000_000, at: 1_000_000)  // no longer than the work itself
        #expect(!patience.worksAlone(at: 1_000_001))
        // A loss is followed by as long a time alone.
        patience.waited(900_000, afterWorking: 10, at: 2_000_000)
        #expect(patience.worksAlone(at: 2_899_999) && !patience.worksAlone(at: 2_900_000))
        // Another one soon after it by twice that, and so on up to sixteen times.
        var now: UInt64 = 2_900_000
        for factor in [2, 4, 8, 16, 16] as [UInt64] {
            now += 1_000_000
            patience.waited(1_000_000, afterWorking: 10, at: now)
            now += factor * 1_000_000
            #expect(patience.worksAlone(at: now - 1) && !patience.worksAlone(at: now))
        }
        // After a calm time it begins anew.
        now += 100_000_000
        patience.waited(1_000_000, afterWorking: 10, at: now)
        #expect(!patience.worksAlone(at: now + 1_000_000))
        // An hour in which the process was stopped is not paid back.
        now += 3_600_000_000_000
        patience.waited(3_600_000_000_000, afterWorking: 10, at: now)
        #expect(!patience.worksAlone(at: now + 320_000_000))
    }

    /// Where some threads have more to do than others by themselves, waiting for them says nothing.
    @Test(arguments: [
        (2, 2, 1, true), (2, 3, 1, false), (4, 2, 1, false), (2, 15, 1, false), (2, 16, 1, true), (2, 17, 1, true),
        (2, 17, 16, false), (2, 32, 16, true), (2, 255, 16, false), (2, 257, 16, true), (3, 1, 1, false),
    ]) func evenShares(_ parts: Int, _ count: Int, _ grain: Int, _ expected: Bool) {
        #expect(ThreadPool.isEven(parts: parts, count: count, grain: grain) == expected)
    }

    /// The caller waits for a part that is much longer than its own by itself, and has company in the next region all the same.
    @Test func longPartsAreNoLostCores() {
        let pool = ThreadPool(threadCount: 2)
        let caller = pthread_self()
        let begun = Atomic<Int>(0)
        pool.run(isEven: false) { _ in
            begun.wrappingAdd(1, ordering: .sequentiallyConsistent)
            while begun.load(ordering: .sequentiallyConsistent) < 2 { sched_yield() }
            if pthread_equal(pthread_self(), caller) == 0 { usleep(20_000) }
        }
        let threads = Mutex<Set<String>>([])
        pool.run { _ in
            threads.withLock { _ = $0.insert(String(describing: pthread_self())) }
            // Long enough for the other to come, and not for ever where it does not.
            for _ in 0..<20_000 where threads.withLock({ $0.count }) < 2 { usleep(100) }
        }
        #expect(threads.withLock { $0.count } == 2)
    }

    /// A region inside a region runs all its parts on the thread that asks.
    @Test func nested() {
        let pool = ThreadPool(threadCount: 3)
        let counts = Counts(3)
        pool.run { _ in pool.run { counts.add($0) } }
        #expect(counts.values == [3, 3, 3])
        pool.run { counts.add($0) }
        #expect(counts.values == [4, 4, 4], "the pool is free again")
    }

    /// Two threads that use one pool at once: whoever comes second does its parts alone.
    @Test func concurrent() async {
        let pool = ThreadPool(threadCount: 3)
        let counts = Counts(3)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 { group.addTask { for _ in 0..<500 { pool.run { counts.add($0) } } } }
        }
        #expect(counts.values == [1000, 1000, 1000])
    }

    /// Pools come and go, used or not, with their workers awake, asleep or not yet begun.
    @Test func endsWithoutHanging() {
        for round in 0..<60 {
            let pool = ThreadPool(threadCount: 1 + round % 4)
            if round % 3 > 0 { pool.run { _ in } }
            if round % 20 == 19 { usleep(3000) }
        }
    }

    @Test(arguments: [1, 2, 3, 4, 7, 16], [1, 2, 4, 5, 64]) func rangesCoverAll(_ threads: Int, _ grain: Int) {
        let pool = ThreadPool(threadCount: threads)
        for count in [0, 1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 63, 64, 65, 100, 1023, 49_152, 1 << 40] {
            let ranges = (0..<threads).map { pool.range(of: $0, count: count, grain: grain) }
            #expect(ranges.first?.lowerBound == 0 && ranges.last?.upperBound == count)
            for (a, b) in zip(ranges, ranges.dropFirst()) {
                #expect(a.upperBound == b.lowerBound, "\(count) by \(grain)")
            }
            // Bounds inside are multiples of the grain, and no share is more than a grain above another.
            #expect(ranges.dropLast().allSatisfy { $0.upperBound == count || $0.upperBound.isMultiple(of: grain) })
            let sizes = ranges.map(\.count)
            #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) < 2 * grain)
        }
    }
}
