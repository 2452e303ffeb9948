import TinyGPT

/// What `chat --json` prints.
struct ChatReport: Encodable {
    struct Turn: Encodable {
        let message: String
        let text: String
        let tokens: [Int]
        let prompt_tokens: Int
        let cached_tokens: Int
        let read_tokens: Int
        let completion_tokens: Int
        let stop_reason: StopReason
        let timings: Timings
        /// Of each token, where --confidence asked for them.
        let probabilities: [Double]?

        init(_ message: String, _ completion: Completion, withProbabilities: Bool) {
            self.message = message
            text = completion.text
            tokens = completion.tokens
            prompt_tokens = completion.promptTokens
            cached_tokens = completion.cachedTokens
            read_tokens = completion.readTokens
            completion_tokens = completion.completionTokens
            stop_reason = completion.stopReason
            timings = Timings(
                prefill_seconds: completion.prefillSeconds, decode_seconds: completion.decodeSeconds,
                prefill_tokens_per_second: completion.prefillTokensPerSecond,
                decode_tokens_per_second: completion.decodeTokensPerSecond)
            probabilities = withProbabilities ? completion.scored.compactMap { $0.score?.probability } : nil
        }
    }

    struct Timings: Encodable {
        let prefill_seconds: Double
        let decode_seconds: Double
        let prefill_tokens_per_second: Double
        let decode_tokens_per_second: Double
    }

    var turns: [Turn] = []
    /// The conversation as it is at the end.
    var messages: [Chat.Message] = []
    var context = 0
    var load_seconds = 0.0
    var peak_memory_bytes = 0
    /// Why it ended before the input did.
    var error: String?
}
