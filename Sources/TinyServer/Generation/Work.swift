import TinyRunner

/// The texts of one request, given to the engine: as many at a time as it has slots, so that a request of hundreds does not fill
/// the queue.
///
/// The work ends within a step when its client goes away, and when nobody reads its events any more.
struct Work: Sendable {
    let engine: Engine
    let requests: [Engine.Request]
    let connection: Connection
    let deadline: ContinuousClock.Instant

    typealias Events = AsyncThrowingStream<(choice: Int, event: Engine.Event), any Error>

    /// - Throws: at once if the engine refuses what is to begin now.
    func events() throws -> Events {
        let begun = try requests.prefix(max(1, engine.plan.slots)).map { try begin($0) }
        let (events, continuation) = Events.makeStream()
        let task = Task {
            do {
                try await run(begun, continuation)
                continuation.finish()
            } catch { continuation.finish(throwing: error) }
        }
        let number = connection.whenGone {
            task.cancel()
            continuation.finish(throwing: CancellationError())
        }
        continuation.onTermination = { [connection] _ in
            task.cancel()
            connection.forget(number)
        }
        return events
    }

    private func begin(_ request: Engine.Request) throws -> AsyncThrowingStream<Engine.Event, any Error> {
        var request = request
        request.client = connection.client
        request.timeLimit = max(.zero, deadline - .now)
        return try engine.stream(request)
    }

    private func run(
        _ begun: [AsyncThrowingStream<Engine.Event, any Error>], _ continuation: Events.Continuation
    ) async throws {
        try await withThrowingTaskGroup { group in
            @Sendable func forward(_ stream: AsyncThrowingStream<Engine.Event, any Error>, _ choice: Int) async throws {
                for try await event in stream { continuation.yield((choice, event)) }
            }
            for (choice, stream) in begun.enumerated() { group.addTask { try await forward(stream, choice) } }
            for choice in begun.count..<requests.count {
                try await group.next()
                group.addTask { try await forward(beginLater(requests[choice]), choice) }
            }
            try await group.waitForAll()
            // A stream whose reader is cancelled just ends.
            try Task.checkCancellation()
        }
    }

    /// Where the first texts of a request had room, the next ones wait for theirs.
    private func beginLater(_ request: Engine.Request) async throws -> AsyncThrowingStream<Engine.Event, any Error> {
        while true {
            do { return try begin(request) } catch EngineError.queueFull where deadline > .now {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }
}
