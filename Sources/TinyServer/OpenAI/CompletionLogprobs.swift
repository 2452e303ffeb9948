import TinyJSON
import TinyRunner
import TinyTokenizer

/// Probabilities as `/v1/completions` tells them: lists side by side, and where each token begins in the text.
struct CompletionLogprobs: Sendable {
    private let tokenizer: Tokenizer
    /// Characters (code points) of the text so far.
    private var offset: Int
    private var text: TextStream

    /// - Parameters:
    ///   - start: characters before the first token.
    ///   - skipsSpecial: whether special tokens, such as what stands in front of every text, are not part of the text.
    init(start: Int, _ tokenizer: Tokenizer, skipsSpecial: Bool = false) {
        (offset, self.tokenizer) = (start, tokenizer)
        text = TextStream(tokenizer, skipSpecial: skipsSpecial)
    }

    /// Lists of some tokens, those that follow the tokens before.
    ///
    /// - Parameter top: how many alternatives were asked for; a token's own is always told.
    mutating func lists(_ scored: [ScoredToken], top: Int) -> CompletionLogprobLists {
        var lists = CompletionLogprobLists()
        for token in scored {
            let entry = TokenLogprobs(token)
            let word = tokenizer.wireText(entry.token)
            lists.tokens.append(.string(word))
            lists.logprobs.append(entry.logprob.map(JSON.number) ?? .null)
            lists.tops.append(entry.logprob.map { alternatives(entry, word, $0) } ?? .null)
            lists.offsets.append(.integer(place(of: entry.token, word)))
        }
        return lists
    }

    /// By text; of tokens with the same text the likeliest counts.
    private func alternatives(_ entry: TokenLogprobs, _ word: String, _ logprob: Double) -> JSON {
        .members(
            entry.top.map { (tokenizer.wireText($0.token), .number($0.logprob)) } + [(word, .number(logprob))])
    }

    /// Where a token begins. Part of a character begins where the character does; what stands behind bytes that no character
    /// can be made of begins behind what the text has in their place.
    private mutating func place(of token: Int, _ word: String) -> Int {
        let before = offset
        offset += text.append(token).unicodeScalars.count
        let isWhole = String(validating: tokenizer.wireBytes(token), as: UTF8.self) != nil
        return isWhole ? max(before, offset - word.unicodeScalars.count) : before
    }
}

/// The lists of an answer, or of a part of it.
struct CompletionLogprobLists: Sendable {
    var (tokens, logprobs, tops, offsets): ([JSON], [JSON], [JSON], [JSON]) = ([], [], [], [])

    static func + (a: Self, b: Self) -> Self {
        var sum = a
        sum.tokens += b.tokens
        sum.logprobs += b.logprobs
        sum.tops += b.tops
        sum.offsets += b.offsets
        return sum
    }

    var json: JSON {
        [
            "tokens": .array(tokens), "token_logprobs": .array(logprobs), "top_logprobs": .array(tops),
            "text_offset": .array(offsets),
        ]
    }
}
