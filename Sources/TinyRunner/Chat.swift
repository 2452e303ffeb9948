public import TinyModels
import TinyTokenizer

/// A conversation with a model: history, the model's own framing of it, and a cache that keeps what was read.
///
/// ```swift
/// let chat = Chat(model, instructions: "Answer in one sentence.")
/// print(try await chat.reply(to: "Why is the sky blue?").text)
/// ```
public actor Chat {
    /// What was said, and by whom.
    public struct Message: Sendable, Equatable {
        public enum Role: String, Sendable { case system, user, assistant }
        public let role: Role
        public let text: String

        public init(_ role: Role, _ text: String) {
            self.role = role
            self.text = text
        }
    }

    private let model: Model
    /// Everything said so far, the instructions first.
    public private(set) var messages: [Message]
    private let capacity: Int
    private var session: Session?

    /// A decoder and the tokens it holds.
    private struct Session: ~Copyable {
        var decoder: Decoder
        var tokens: [Int] = []
        let tokenizer: Tokenizer
        let template: ChatTemplate
    }

    /// - Parameters:
    ///   - instructions: what the model is told before the conversation.
    ///   - capacity: the most tokens the conversation may have; the model's own limit, at most 8192, if nil. Memory is
    ///     taken as it grows.
    public init(_ model: Model, instructions: String? = nil, capacity: Int? = nil) {
        self.model = model
        self.capacity = capacity ?? min(8192, model.contextLimit ?? 8192)
        messages = instructions.map { [Message(.system, $0)] } ?? []
    }

    /// The model's answer to a message.
    ///
    /// - Throws: `RunnerError` if the conversation no longer fits or the model has no chat template, `CancellationError`
    ///   within one step of the task being cancelled. The conversation is as it was before, then.
    public func reply(
        to text: String, _ sampling: Sampling = .greedy, maxTokens: Int = .max, stops: [String] = []
    ) throws -> Completion {
        try answer(text, GenerationOptions(maxTokens: maxTokens, sampling: sampling, stops: stops)) { _ in }
    }

    /// The model's answer to a message, piece by piece as it is found. Leaving the loop stops the model within one step.
    public nonisolated func stream(
        _ text: String, _ sampling: Sampling = .greedy, maxTokens: Int = .max, stops: [String] = []
    ) -> AsyncThrowingStream<Piece, any Error> {
        AsyncThrowingStream { continuation in
            let task = Task {
                do {
                    let options = GenerationOptions(maxTokens: maxTokens, sampling: sampling, stops: stops)
                    _ = try await self.answer(text, options) { continuation.yield($0) }
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func answer(_ text: String, _ options: GenerationOptions, onPiece: (Piece) -> Void) throws -> Completion {
        let asked = messages + [Message(.user, text)]
        if session == nil {
            session = Session(
                decoder: model.decoder(capacity: capacity), tokenizer: try model.tokenizer,
                template: try ChatTemplate(model))
        }
        let completion = try continueSession(asked, options, onPiece: onPiece)
        if completion.stopReason == .cancelled { throw CancellationError() }
        messages = asked + [Message(.assistant, completion.text)]
        return completion
    }

    /// Reads what the cache does not hold yet, and answers.
    private func continueSession(
        _ asked: [Message], _ options: GenerationOptions, onPiece: (Piece) -> Void
    ) throws -> Completion {
        guard var session = session.take() else { preconditionFailure("no session to continue") }
        do {
            let prompt = try session.template.tokens(of: Conversation(asked))
            // The last token is always read, for its logits.
            let kept = min(zip(prompt, session.tokens).prefix { $0 == $1 }.count, max(0, prompt.count - 1))
            try session.decoder.truncate(to: kept)
            session.tokens = Array(prompt[..<kept])
            var completion = try session.decoder.generate(
                Array(prompt[kept...]), after: Array(prompt[..<kept]), options, tokenizer: session.tokenizer,
                endOfText: model.endOfText,
                isCancelled: { Task.isCancelled }, onPiece: onPiece)
            completion.promptTokens = prompt.count
            session.tokens = Array((prompt + completion.tokens).prefix(session.decoder.count))
            self.session = consume session
            return completion
        } catch {
            session.tokens = []  // whatever the cache holds is not known any more
            self.session = consume session
            throw error
        }
    }
}
