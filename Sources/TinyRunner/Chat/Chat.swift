public import TinyModels

/// A conversation with a model: history, the model's own framing of it, and a cache that keeps what was read.
///
/// ```swift
/// let chat = Chat(model, instructions: "Answer in one sentence.")
/// print(try await chat.reply(to: "Why is the sky blue?").text)
/// ```
///
/// One thing at a time: a reply that is asked for while another is being given begins when that one has ended, and so
/// does every change of the history. A reply that fails leaves the conversation as it was.
public actor Chat {
    public nonisolated let model: Model
    /// Everything said so far, the instructions first.
    public internal(set) var messages: [Message]
    /// The last answer and what it took, one that was stopped among them; nil if there is none yet, or the history was
    /// changed since.
    public internal(set) var lastReply: Completion?
    /// What all answers so far took.
    public private(set) var totals = Totals()

    private let options: Engine.Options
    private let reuse: Engine.Request.Reuse
    private var ownOrShared: Engine?
    private var template: ChatTemplate?
    private var memory = ChatMemory()
    private var queue = ChatQueue()

    /// A conversation with an engine of its own, which is made when it is needed first.
    ///
    /// - Parameters:
    ///   - instructions: what the model is told before the conversation.
    ///   - capacity: the most tokens the conversation may have, its last answer included; the model's own limit, at most 8192,
    ///     if nil, and less where memory has no room for them.
    public init(_ model: Model, instructions: String? = nil, capacity: Int? = nil) {
        self.model = model
        options = Engine.Options(slots: 1, context: capacity)
        reuse = .everything
        messages = instructions.map { [Message(.system, $0)] } ?? []
    }

    /// A conversation by an engine that others use too. What of it is still in the cache when it goes on depends on them.
    ///
    /// - Parameter reuse: `.prompts`, for answers to be the same to the byte whatever was asked before: earlier answers are
    ///   read again then.
    public init(_ engine: Engine, instructions: String? = nil, reuse: Engine.Request.Reuse = .everything) {
        model = engine.model
        options = Engine.Options(slots: 1, context: engine.plan.context)
        self.reuse = reuse
        ownOrShared = engine
        messages = instructions.map { [Message(.system, $0)] } ?? []
    }

    // MARK: Asking

    /// The model's answer to a message.
    ///
    /// - Parameter candidates: how many of the likeliest tokens to tell at every place of the answer; nil for no
    ///   probabilities at all.
    /// - Throws: `ChatError.tooLong` if the conversation no longer fits, `RunnerError.noChatTemplate`, `CancellationError`
    ///   within one step of the task being cancelled. The conversation is as it was before, then.
    @discardableResult
    public func reply(
        to text: String, _ sampling: Sampling = .greedy, maxTokens: Int = .max, stops: [String] = [],
        candidates: Int? = nil
    ) async throws -> Completion {
        let options = ReplyOptions(sampling, maxTokens: maxTokens, stops: stops, candidates: candidates)
        return try await answer(.message(text), options) { _ in }
    }

    /// Another answer in the place of the last one, which stays if this fails. An answer that is still owed, to a message at
    /// the end of a conversation that was restored, is given.
    ///
    /// - Throws: `ChatError.nothingToAnswer` if nothing was asked yet; else as `reply(to:)`.
    @discardableResult
    public func regenerate(
        _ sampling: Sampling = .greedy, maxTokens: Int = .max, stops: [String] = [], candidates: Int? = nil
    ) async throws -> Completion {
        let options = ReplyOptions(sampling, maxTokens: maxTokens, stops: stops, candidates: candidates)
        return try await answer(.again, options) { _ in }
    }

    /// The model's answer to a message, piece by piece as it is found. Leaving the loop stops the model within one step.
    public nonisolated func stream(
        _ text: String, _ sampling: Sampling = .greedy, maxTokens: Int = .max, stops: [String] = [],
        candidates: Int? = nil
    ) -> AsyncThrowingStream<Piece, any Error> {
        let options = ReplyOptions(sampling, maxTokens: maxTokens, stops: stops, candidates: candidates)
        return AsyncThrowingStream { continuation in
            forward(.message(text), options, to: continuation) { event in
                if case .piece(let piece) = event { piece } else { nil }
            }
        }
    }

    /// All that happens while a message is answered: what is read, what is said, and at the end what it took. Leaving the
    /// loop stops the model within one step; whether what it said until then stays is in the options.
    public nonisolated func events(
        _ request: Request, _ options: ReplyOptions = ReplyOptions()
    ) -> AsyncThrowingStream<Event, any Error> {
        AsyncThrowingStream { continuation in forward(request, options, to: continuation) { $0 } }
    }

    private nonisolated func forward<Element>(
        _ request: Request, _ options: ReplyOptions,
        to continuation: AsyncThrowingStream<Element, any Error>.Continuation,
        _ element: @escaping @Sendable (Event) -> Element?
    ) {
        let task = Task {
            do {
                _ = try await self.answer(request, options) { event in
                    if let element = element(event) { continuation.yield(element) }
                }
                continuation.finish()
            } catch {
                continuation.finish(throwing: error)
            }
        }
        continuation.onTermination = { _ in task.cancel() }
    }

    /// Answers, and tells what happens meanwhile.
    ///
    /// - Returns: the answer, one that was stopped among them if the options keep it.
    @discardableResult
    public func answer(
        _ request: Request, _ options: ReplyOptions = ReplyOptions(), tell: @Sendable (Event) -> Void
    ) async throws -> Completion {
        try await exclusively {
            let asked = try self.asked(request)
            let prompt = try self.prompt(of: asked)
            let capacity = try self.capacity
            guard prompt.tokens.count < capacity else {
                let turns = try self.turnsToDrop(from: asked, capacity: capacity, room: options.room(in: capacity))
                throw ChatError.tooLong(tokens: prompt.tokens.count, capacity: capacity, turnsToDrop: turns)
            }
            try Task.checkCancellation()
            let completion = try await self.generate(prompt.tokens, options, tell: tell)
            self.totals.add(completion)
            if completion.stopReason == .cancelled && (!options.keepsStopped || completion.text.isEmpty) {
                throw CancellationError()
            }
            self.messages = asked + [Message(.assistant, completion.text)]
            self.lastReply = completion
            self.memory.remember(prompt, answer: completion, try self.model.tokenizer)
            tell(.finished(completion))
            return completion
        }
    }

    /// The conversation up to what is to be answered.
    private func asked(_ request: Request) throws(ChatError) -> [Message] {
        switch request {
        case .message(let text):
            if messages.last?.role == .user { throw .unanswered }
            return messages + [Message(.user, text)]
        case .again:
            guard let last = messages.lastIndex(where: { $0.role == .user }) else { throw .nothingToAnswer }
            return Array(messages[...last])
        }
    }

    // MARK: Reading and answering

    /// What answers; made now, if there is none yet.
    ///
    /// - Throws: `EngineError.noRoom` with the numbers, `RunnerError` for a capacity that the model was not made for or a model
    ///   that does not continue texts.
    public var engine: Engine {
        get throws {
            if let ownOrShared { return ownOrShared }
            let engine = try Engine(model, options)
            ownOrShared = engine
            return engine
        }
    }

    /// The most tokens that the conversation may have, its last answer included.
    public var capacity: Int { get throws { try engine.plan.context } }

    /// Tokens of the conversation, 0 before its first message: as they were read and said, or, where nothing was said since
    /// it was changed, as they will be read.
    public var tokenCount: Int {
        get throws {
            if let lastReply { return lastReply.promptTokens + lastReply.completionTokens }
            return turns.isEmpty ? 0 : try prompt(of: messages).tokens.count
        }
    }

    /// Makes ready what the first answer would need, and throws what it would throw: where no one waits yet.
    public func prepare() throws {
        _ = try prompt(of: messages.last?.role == .user ? messages : messages + [Message(.user, "")])
        _ = try engine
    }

    /// A conversation as the model reads it, by way of what it has read already.
    func prompt(of messages: [Message]) throws -> ChatPrompt {
        let template = try template ?? ChatTemplate(model)
        self.template = template
        return try template.prompt(of: Conversation(messages), after: memory)
    }

    private func generate(
        _ prompt: [Int], _ options: ReplyOptions, tell: @Sendable (Event) -> Void
    ) async throws -> Completion {
        let request = Engine.Request(prompt: prompt, options.generation, candidates: options.candidates, reuse: reuse)
        var stopped = StoppedReply(promptTokens: prompt.count)
        var finished: Completion?
        // To the stream's own end: an engine that is left earlier takes the answer for one that nobody wants.
        for try await event in try engine.stream(request) {
            stopped.take(event)
            switch event {
            case .started(let tokens): tell(.read(tokens: tokens, of: prompt.count))
            case .read(let tokens): tell(.read(tokens: tokens, of: prompt.count))
            case .piece(let piece): tell(.piece(piece))
            case .promptScores: break
            case .finished(let completion): finished = completion
            }
        }
        // A stream that ends without its last event is that of a task that was cancelled.
        return finished ?? stopped.completion
    }

    // MARK: One at a time

    /// Does something when all that was asked for before is done.
    func exclusively<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        if !queue.take() {
            let turn = queue.newTurn()
            let isOurs = await withTaskCancellationHandler {
                await withCheckedContinuation { queue.wait(turn, $0) }
            } onCancel: {
                Task { await self.giveUp(turn) }
            }
            if !isOurs { throw CancellationError() }
        }
        defer { queue.leave() }
        return try await body()
    }

    /// For tests.
    var isFree: Bool { queue.isFree }
    var waiting: Int { queue.count }

    private func giveUp(_ turn: Int) { queue.giveUp(turn) }
}
