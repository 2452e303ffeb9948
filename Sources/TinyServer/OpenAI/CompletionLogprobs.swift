import TinyJSON
import TinyRunner
import TinyTokenizer

/// Probabilities as `/v1/completions` tells them: lists side by side, and where each token begins in the text.
struct CompletionLogprobs: Sendable {
    /// Characters (code points) of the text so far.
    private var offset: Int

    /// - Parameter start: characters before the first token.
    init(start: Int) { offset = start }

    /// - Parameters:
    ///   - then: tokens behind the others, which begin `from` so many characters.
    ///   - top: how many alternatives were asked for; a token's own is always told.
    mutating func json(
        _ scored: [ScoredToken], then: [ScoredToken] = [], from: Int = 0, top: Int, _ tokenizer: Tokenizer
    ) -> JSON {
        var (tokens, logprobs, tops, offsets): ([JSON], [JSON], [JSON], [JSON]) = ([], [], [], [])
        for (index, token) in (scored + then).enumerated() {
            if index == scored.count { offset = from }
            let entry = TokenLogprobs(token)
            let text = tokenizer.wireText(entry.token)
            tokens.append(.string(text))
            logprobs.append(entry.logprob.map(JSON.number) ?? .null)
            tops.append(entry.logprob.map { alternatives(entry, text, $0, tokenizer) } ?? .null)
            offsets.append(.integer(offset))
            advance(tokenizer.pieceInside(entry.token))
        }
        return [
            "tokens": .array(tokens), "token_logprobs": .array(logprobs), "top_logprobs": .array(tops),
            "text_offset": .array(offsets),
        ]
    }

    /// By text; of tokens with the same text the likeliest counts.
    private func alternatives(_ entry: TokenLogprobs, _ text: String, _ logprob: Double, _ tokenizer: Tokenizer) -> JSON
    {
        .members(
            entry.top.map { (tokenizer.wireText($0.token), .number($0.logprob)) } + [(text, .number(logprob))])
    }

    /// A character counts where its first byte stands.
    private mutating func advance(_ bytes: [UInt8]) {
        for byte in bytes where byte & 0xC0 != 0x80 { offset += 1 }
    }
}
