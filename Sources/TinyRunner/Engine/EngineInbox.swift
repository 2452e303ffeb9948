import Dispatch
import Synchronization

/// Where those who ask meet the engine's thread.
final class EngineInbox: Sendable {
    private struct Contents {
        var queue: RequestQueue<EngineSubmission>
        var status = Engine.Status()
        var passBegan: ContinuousClock.Instant?
        var isStopped = false
        /// Those who wait until there is no work any more.
        var drainers: [CheckedContinuation<Void, Never>] = []
    }

    private let contents: Mutex<Contents>
    private let news = DispatchSemaphore(value: 0)

    init(queueLimit: Int) { contents = Mutex(Contents(queue: RequestQueue(limit: queueLimit))) }

    // MARK: Those who ask

    func submit(_ submission: EngineSubmission, places: Int) throws(EngineError) {
        let error = contents.withLock { contents -> EngineError? in
            if contents.status.isDraining || contents.isStopped {
                contents.status.totals.rejected += 1
                return .draining
            }
            // Whoever finds a free place does not wait, so a limit of 0 means that nobody does.
            let busy = contents.status.reading + contents.status.decoding
            if contents.queue.count >= contents.queue.limit + max(0, places - busy) {
                contents.status.totals.rejected += 1
                return .queueFull(limit: contents.queue.limit)
            }
            contents.status.totals.requests += 1
            contents.queue.append(submission, client: submission.request.client)
            contents.status.waiting = contents.queue.count
            return nil
        }
        if let error { throw error }
        news.signal()
    }

    /// Somebody lost interest.
    func cancelled() {
        contents.withLock { contents in
            contents.status.totals.cancelled += contents.queue.remove(where: \.isCancelled).count
            contents.status.waiting = contents.queue.count
        }
        news.signal()
    }

    var status: Engine.Status {
        contents.withLock { contents in
            var status = contents.status
            status.secondsInPass = contents.passBegan.map { (ContinuousClock.now - $0).seconds }
            return status
        }
    }

    func stop() {
        contents.withLock { $0.isStopped = true }
        news.signal()
    }

    func drain() async {
        await withCheckedContinuation { continuation in
            let isOver = contents.withLock { contents in
                contents.status.isDraining = true
                if !contents.isStopped { contents.drainers.append(continuation) }
                return contents.isStopped
            }
            if isOver { continuation.resume() } else { news.signal() }
        }
    }

    // MARK: The engine's thread

    var isStopped: Bool { contents.withLock { $0.isStopped } }

    func wait() { news.wait() }

    /// Those whose time is over.
    func takeLate() -> [EngineSubmission] {
        contents.withLock { contents in
            let late = contents.queue.remove { $0.passedLimit != nil }
            contents.status.totals.timedOut += late.count
            contents.status.waiting = contents.queue.count
            return late
        }
    }

    func takeAll() -> [EngineSubmission] {
        contents.withLock { contents in
            defer { contents.status.waiting = 0 }
            return contents.queue.remove { _ in true }
        }
    }

    func takeNext(where mayBegin: @Sendable (EngineSubmission) -> Bool) -> EngineSubmission? {
        contents.withLock { contents in
            let next = contents.queue.next { !$0.isCancelled && mayBegin($0) }
            contents.status.waiting = contents.queue.count
            // Counted before its turn is over, or another one could take its place meanwhile.
            if next != nil { contents.status.reading += 1 }
            return next
        }
    }

    /// Tells how things are; `update` may change all but what is told here.
    func publish(_ update: @Sendable (inout Engine.Status) -> Void) { contents.withLock { update(&$0.status) } }

    func passBegins() { contents.withLock { $0.passBegan = .now } }
    func passEnded() { contents.withLock { $0.passBegan = nil } }

    /// There is no work any more.
    func idle() {
        let drainers = contents.withLock { contents in
            guard contents.queue.count == 0 else { return [CheckedContinuation<Void, Never>]() }
            defer { contents.drainers = [] }
            return contents.drainers
        }
        for drainer in drainers { drainer.resume() }
    }
}
