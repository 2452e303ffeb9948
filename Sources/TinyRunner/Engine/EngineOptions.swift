extension Engine {
    /// How much an engine takes on. Presets before parameters: what is nil is chosen for the model and the machine.
    public struct Options: Sendable {
        /// Texts that are continued at the same time; 4 if nil, fewer where memory has no room for them.
        public var slots: Int?
        /// Tokens of each, prompt and continuation; the model's limit, at most 8192, if nil, less where memory has no room.
        public var context: Int?
        /// The most tokens of prompts that are read between two steps of those that are being continued.
        public var chunk: Int
        /// Requests that may wait.
        public var queueLimit: Int
        /// Bytes that weights, cache and activations may take together; what the machine and its control group leave, if nil.
        public var memoryLimit: Int?

        public init(
            slots: Int? = nil, context: Int? = nil, chunk: Int = 256, queueLimit: Int = 64, memoryLimit: Int? = nil
        ) {
            self.slots = slots
            self.context = context
            self.chunk = chunk
            self.queueLimit = queueLimit
            self.memoryLimit = memoryLimit
        }
    }

    /// What an engine at work looks like from outside.
    public struct Status: Sendable, Equatable {
        /// Requests that wait, whose prompt is being read, that are being continued.
        public var waiting = 0
        public var reading = 0
        public var decoding = 0
        /// Tokens in the caches of all slots, those kept for later requests among them.
        public var cachedTokens = 0
        /// Whether it takes no more requests.
        public var isDraining = false
        /// Seconds since the last pass through the model began, if there is work; nil if there is none.
        public var secondsInPass: Double?
        public var totals = Totals()

        /// Counts since the start.
        public struct Totals: Sendable, Equatable {
            public var requests = 0
            public var rejected = 0
            public var finished = 0
            public var cancelled = 0
            public var timedOut = 0
            public var promptTokens = 0
            /// Of these, tokens that did not have to be read.
            public var cachedTokens = 0
            public var generatedTokens = 0
            /// Passes through the model.
            public var promptPasses = 0
            public var decodePasses = 0

            public init() {}
        }

        public init() {}
    }
}
