import Synchronization

/// A request on its way, and the stream that is told about it. Whoever reads the stream and whoever does the work meet here.
final class EngineSubmission: Sendable {
    let request: Engine.Request
    private let continuation: AsyncThrowingStream<Engine.Event, any Error>.Continuation
    private let wasCancelled = Atomic<Bool>(false)
    private let arrival = ContinuousClock.now

    init(_ request: Engine.Request, _ continuation: AsyncThrowingStream<Engine.Event, any Error>.Continuation) {
        self.request = request
        self.continuation = continuation
    }

    /// Seconds since it came.
    var age: Double { (ContinuousClock.now - arrival).seconds }

    /// Whether nobody wants it any more.
    var isCancelled: Bool { wasCancelled.load(ordering: .relaxed) }
    func cancel() { wasCancelled.store(true, ordering: .relaxed) }

    /// The time limit, if it has passed.
    var passedLimit: Double? {
        guard let limit = request.timeLimit?.seconds, age > limit else { return nil }
        return limit
    }

    func tell(_ event: Engine.Event) { continuation.yield(event) }

    func finish(_ completion: Completion) {
        continuation.yield(.finished(completion))
        continuation.finish()
    }

    func fail(_ error: any Error) { continuation.finish(throwing: error) }
}

extension Duration {
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) * 1e-18 }
}
