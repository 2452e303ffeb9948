import Synchronization
import Testing
import TinyRunner

@testable import TinyServer

@Suite("Work", .timeLimit(.minutes(2)))
struct WorkTests {
    @Test func aConnectionTellsOnce() {
        let connection = Connection()
        let told = Mutex<[String]>([])
        _ = connection.whenGone { told.withLock { $0.append("a") } }
        let number = connection.whenGone { told.withLock { $0.append("b") } }
        connection.forget(number)
        connection.depart()
        connection.depart()
        #expect(connection.isGone && told.withLock { $0 } == ["a"])
        _ = connection.whenGone { told.withLock { $0.append("late") } }
        #expect(told.withLock { $0 } == ["a", "late"])
    }

    /// Texts that would take long: being read, being continued and waiting.
    @Test func aClientThatGoesTakesItsWorkAlong() async throws {
        let test = try TestModel()
        let connection = Connection()
        let request = Engine.Request(
            prompt: [5, 6, 7], GenerationOptions(maxTokens: 50, ignoresEnd: true), timeLimit: nil)
        let work = Work(
            engine: test.engine, requests: Array(repeating: request, count: 200), connection: connection,
            deadline: .now + .seconds(60))
        var seen = 0
        await #expect(throws: CancellationError.self) {
            for try await _ in try work.events() {
                seen += 1
                if seen == 20 { connection.depart() }
            }
        }
        while test.engine.status.waiting + test.engine.status.reading + test.engine.status.decoding > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(test.engine.status.totals.finished < 200)
    }

    @Test func workThatIsNotReadEnds() async throws {
        let test = try TestModel()
        let request = Engine.Request(prompt: [5, 6, 7], GenerationOptions(maxTokens: 50, ignoresEnd: true))
        do {
            let events = try Work(
                engine: test.engine, requests: Array(repeating: request, count: 100), connection: Connection(),
                deadline: .now + .seconds(60)
            ).events()
            for try await _ in events { break }
        }
        while test.engine.status.waiting + test.engine.status.reading + test.engine.status.decoding > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
        #expect(test.engine.status.totals.finished < 100)
    }

    @Test func aDeadlineEndsIt() async throws {
        let test = try TestModel()
        let request = Engine.Request(prompt: [5, 6, 7], GenerationOptions(maxTokens: 50, ignoresEnd: true))
        let work = Work(
            engine: test.engine, requests: Array(repeating: request, count: 1000), connection: Connection(),
            deadline: .now + .milliseconds(100))
        await #expect(throws: EngineError.self) { for try await _ in try work.events() {} }
    }

    @Test func aFullQueueIsToldAtOnce() async throws {
        let test = try TestModel()
        let request = Engine.Request(prompt: [5, 6, 7], GenerationOptions(maxTokens: 50, ignoresEnd: true))
        let others = try (0..<4).map { _ in try test.engine.stream(request) }
        var error: APIError?
        for _ in 0..<4 where error == nil {
            do { _ = try test.engine.stream(request) } catch let thrown { error = APIError(thrown) }
        }
        _ = others
        #expect(error?.status == 429 && error?.retryAfter != nil)
    }

    @Test func bodiesShareABudget() {
        let budget = BodyBudget(10)
        #expect(budget.take(6) && !budget.take(5) && budget.take(4))
        budget.give(6)
        #expect(budget.take(6))
    }

    @Test func healthKnowsOfStandstill() {
        var status = Engine.Status()
        #expect(Health(status, stuckSeconds: 10).status == 200)
        status.secondsInPass = 11
        #expect(Health(status, stuckSeconds: 10).state == .stuck && Health(status, stuckSeconds: 10).status == 503)
        status.isDraining = true
        #expect(Health(status, stuckSeconds: 10).state == .draining)
    }
}
