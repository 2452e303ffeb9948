extension Chat {
    /// What was said, and by whom. As JSON: `{"role": "user", "content": "Hello"}`.
    public struct Message: Sendable, Equatable, Codable {
        public enum Role: String, Sendable, Codable, CaseIterable { case system, user, assistant }
        public let role: Role
        public let text: String

        public init(_ role: Role, _ text: String) {
            self.role = role
            self.text = text
        }

        private enum CodingKeys: String, CodingKey {
            case role
            case text = "content"
        }
    }

    /// What is to be answered.
    public enum Request: Sendable, Equatable {
        case message(String)
        /// The last message once more, in place of the answer that it has.
        case again
    }

    /// How to answer.
    public struct ReplyOptions: Sendable {
        public var generation: GenerationOptions
        /// How many of the likeliest tokens to tell at every place of the answer; nil for no probabilities at all.
        public var candidates: Int?
        /// Whether an answer that is stopped by cancelling stays in the conversation, as far as it got. Nothing was asked if
        /// it had not begun.
        public var keepsStopped: Bool

        public init(
            _ sampling: Sampling = .greedy, maxTokens: Int = .max, stops: [String] = [], candidates: Int? = nil,
            keepsStopped: Bool = false
        ) {
            generation = GenerationOptions(maxTokens: maxTokens, sampling: sampling, stops: stops)
            self.candidates = candidates
            self.keepsStopped = keepsStopped
        }

        /// Tokens to leave for the answer where turns are dropped to make room.
        func room(in capacity: Int) -> Int { max(1, min(generation.maxTokens, capacity / 4)) }
    }

    /// What happens while a message is answered, in this order.
    public enum Event: Sendable {
        /// So many tokens of the prompt are in the cache by now.
        case read(tokens: Int, of: Int)
        case piece(Piece)
        /// The answer is part of the conversation.
        case finished(Completion)
    }

    /// What several answers took.
    public struct Totals: Sendable, Equatable {
        public internal(set) var replies = 0
        public internal(set) var promptTokens = 0
        /// Of these, tokens that had to be read; the rest was in the cache.
        public internal(set) var readTokens = 0
        public internal(set) var generatedTokens = 0
        public internal(set) var prefillSeconds = 0.0
        public internal(set) var decodeSeconds = 0.0

        mutating func add(_ completion: Completion) {
            replies += 1
            promptTokens += completion.promptTokens
            readTokens += completion.readTokens
            generatedTokens += completion.completionTokens
            prefillSeconds += completion.prefillSeconds
            decodeSeconds += completion.decodeSeconds
        }
    }
}
