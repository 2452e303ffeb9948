import TinyLayers
public import TinyModels
import TinyTensor

/// Continues many texts at once. Requests join and leave between steps: a step of decoding reads the weights once for all of
/// them, and what prompts have in common is read once. Whatever the company, a request gives the same bytes.
///
/// ```swift
/// let engine = try Engine(model, Engine.Options(slots: 8, context: 4096))
/// let prompt = try model.tokens("Once upon a time")
/// for try await case .piece(let piece) in try engine.stream(Engine.Request(prompt: prompt)) {
///     print(piece.text, terminator: "")
/// }
/// ```
///
/// The work is done on a thread of its own with the model's threads; tasks that wait for it hold none.
///
/// Yu et al. 2022, "Orca: A Distributed Serving System for Transformer-Based Generative Models"
public final class Engine: Sendable {
    public let model: Model
    /// What it takes of the machine.
    public let plan: Plan
    private let inbox: EngineInbox

    /// - Throws: `EngineError.noRoom` with the numbers if memory has no room, `RunnerError` for options that mean nothing or a
    ///   model that does not continue texts, and why there is no tokenizer.
    public convenience init(_ model: Model, _ options: Options = Options()) throws {
        try self.init(model, options, beforePass: nil)
    }

    /// - Parameter beforePass: called on the engine's thread: who holds it there has all the time there is to do something
    ///   while a request is under way.
    package init(_ model: Model, _ options: Options, beforePass: (@Sendable () -> Void)?) throws {
        if !model.spec.continues { throw RunnerError.noContinuation(family: model.family) }
        let plan = try Plan(model, options)
        let inbox = EngineInbox(queueLimit: options.queueLimit)
        let loop = EngineLoop(
            model, try model.tokenizer, plan, chunk: options.chunk, inbox: inbox, beforePass: beforePass)
        guard startThread({ loop.run() }) else { throw RunnerError.noMemory(what: "the engine's thread") }
        (self.model, self.plan, self.inbox) = (model, plan, inbox)
    }

    deinit { inbox.stop() }

    /// Begins a request, and tells what becomes of it. Leaving the loop over the stream, or cancelling the task that reads it,
    /// ends the request within one step.
    ///
    /// - Throws: at once, `EngineError` where there is no room for it, `RunnerError` for parameters or tokens that mean nothing;
    ///   in the stream, `EngineError.timeLimit` and, when the engine is stopped, `CancellationError`.
    public func stream(_ request: Request) throws -> AsyncThrowingStream<Event, any Error> {
        try check(request)
        let (stream, continuation) = AsyncThrowingStream.makeStream(of: Event.self)
        let submission = EngineSubmission(request, continuation)
        // The engine lives as long as somebody listens.
        continuation.onTermination = { [self] reason in
            guard case .cancelled = reason else { return }
            submission.cancel()
            inbox.cancelled()
        }
        try inbox.submit(submission, places: plan.slots)
        return stream
    }

    /// The same, waiting for the end.
    ///
    /// - Throws: what `stream` throws, and `CancellationError` if the task is cancelled.
    public func complete(_ request: Request) async throws -> Completion {
        for try await event in try stream(request) {
            if case .finished(let completion) = event { return completion }
        }
        throw CancellationError()
    }

    public var status: Status { inbox.status }

    /// Takes no more requests, and returns when those there are done.
    public func drain() async { await inbox.drain() }

    /// Ends all requests with `CancellationError`, and takes no more.
    public func stop() { inbox.stop() }

    private func check(_ request: Request) throws {
        if request.prompt.isEmpty { throw RunnerError.noTokens }
        for token in request.prompt where token < 0 || token >= model.spec.vocabulary {
            throw RunnerError.tokenOutOfRange(token: token, vocabulary: model.spec.vocabulary)
        }
        guard request.prompt.count < plan.context else {
            throw EngineError.promptTooLong(tokens: request.prompt.count, context: plan.context)
        }
        if request.promptCandidates != nil && model.spec.seesAhead {
            throw RunnerError.seesAhead(family: model.family)
        }
        try request.options.sampling.check()
        for (name, value) in [
            ("max-tokens", request.options.maxTokens), ("candidates", request.candidates ?? 0),
            ("prompt-candidates", request.promptCandidates ?? 0),
        ] where value < 0 {
            throw RunnerError.badParameter(name: name, value: "\(value)", expected: "a number from 0 on")
        }
    }
}
