/// The tokens that a file wants around a text, or around two.
struct Frame: Sendable {
    enum Part: Sendable, Equatable {
        case token(Int, type: Int)
        case first(type: Int)
        case second(type: Int)
    }

    var single: [Part] = [.first(type: 0)]
    /// nil if the file does not say.
    var pair: [Part]?

    init() {}

    init(opening: [Int], closing: [Int]) {
        single = opening.map { .token($0, type: 0) } + [.first(type: 0)] + closing.map { .token($0, type: 0) }
    }

    /// A text between two tokens, a second behind it: `[CLS] A [SEP] B [SEP]`.
    ///
    /// - Parameter doubled: whether a pair has the separator twice between its texts, and no types.
    init(opening: [Int], separator: [Int], doubled: Bool) {
        self.init(opening: opening, closing: separator)
        let type = doubled ? 0 : 1
        pair = single + (doubled ? separator.map { .token($0, type: 0) } : [])
        pair? += [.second(type: type)] + separator.map { .token($0, type: type) }
    }

    var opening: [Int] { Self.tokens(single.prefix { !Self.isText($0) }) }
    var closing: [Int] { Self.tokens(single.drop { !Self.isText($0) }.dropFirst()) }
    /// All tokens that the frame names.
    var tokens: [Int] { Self.tokens((single + (pair ?? []))[...]) }

    private static func isText(_ part: Part) -> Bool { if case .token = part { false } else { true } }

    private static func tokens(_ parts: ArraySlice<Part>) -> [Int] {
        parts.compactMap { if case .token(let id, _) = $0 { id } else { nil } }
    }
}

/// A text, or two, with the tokens that the model wants around them.
package struct FramedTokens: Sendable, Equatable {
    package var tokens: [Int] = []
    /// Which of two texts a token belongs to, as the file says: `token_type_ids`.
    package var types: [Int] = []
}

extension Tokenizer {
    /// The tokens of a whole text, or of two, between those that the file wants around them: what a model reads that
    /// makes vectors of texts or compares them, rather than continuing one.
    ///
    /// - Throws: if there is a second text and the file does not say how to frame two.
    package func encodeFramed(
        _ text: String, _ second: String? = nil, special: Bool = false
    ) throws(TokenizerError) -> FramedTokens {
        let parts: [Frame.Part]
        if second == nil {
            parts = frame.single
        } else if let pair = frame.pair {
            parts = pair
        } else {
            throw TokenizerError(
                file: file, key: "post_processor", found: "no frame for two texts", expected: "one, for a second text")
        }
        var framed = FramedTokens()
        for part in parts {
            let (tokens, type): ([Int], Int) =
                switch part {
                case .token(let id, let type): ([id], type)
                case .first(let type): (encode(text, special: special), type)
                case .second(let type): (encode(second ?? "", special: special), type)
                }
            framed.tokens += tokens
            framed.types += Array(repeating: type, count: tokens.count)
        }
        return framed
    }
}
