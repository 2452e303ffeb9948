extension Engine {
    /// A text to be continued.
    public struct Request: Sendable {
        /// What is read, from the beginning of the text.
        public var prompt: [Int]
        public var options: GenerationOptions
        /// How many of the likeliest tokens to tell at every place of the continuation; nil for no probabilities at all.
        public var candidates: Int?
        /// How many to tell at every place of the prompt; nil for no probabilities there. Such a prompt is read whole, whatever
        /// the cache holds.
        public var promptCandidates: Int?
        /// For whom: requests that wait are begun by turns of those who wait, not only in the order of arrival.
        public var client: String
        /// How long it may take in all, waiting included.
        public var timeLimit: Duration?
        public var reuse: Reuse

        /// What of earlier texts in the cache may be used again.
        public enum Reuse: Sendable {
            /// What was read as a prompt. An answer's own tokens are rounded in another way on some machines; without them a
            /// request gives the same bytes whatever was asked before.
            case prompts
            /// Answers too: a conversation reads only what is new.
            case everything
            case nothing
        }

        public init(
            prompt: [Int], _ options: GenerationOptions = GenerationOptions(), candidates: Int? = nil,
            promptCandidates: Int? = nil, client: String = "", timeLimit: Duration? = nil, reuse: Reuse = .prompts
        ) {
            self.prompt = prompt
            self.options = options
            self.candidates = candidates
            self.promptCandidates = promptCandidates
            self.client = client
            self.timeLimit = timeLimit
            self.reuse = reuse
        }
    }

    /// What happens to a request, in this order; of pieces there are any number.
    public enum Event: Sendable {
        /// It left the queue. So many tokens of its prompt were in the cache.
        case started(cachedTokens: Int)
        /// So many tokens of its prompt have been read, those in the cache among them.
        case read(tokens: Int)
        /// What the model thought of its prompt, where that was asked for.
        case promptScores([ScoredToken])
        /// New text, or tokens without text of their own yet.
        case piece(Piece)
        /// It is over. The stream ends.
        case finished(Completion)
    }
}
