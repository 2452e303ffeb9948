import TinyTokenizer

/// A conversation as a model reads it.
struct ChatPrompt {
    /// In UTF-8.
    let text: [UInt8]
    let tokens: [Int]
}

/// What of a conversation has been read, as text and as tokens.
///
/// The tokens that a model found an answer by are not always those that its text would be cut into, so a conversation that
/// is cut anew would part from the cache somewhere in an earlier answer. Where a text begins with one that is remembered,
/// its tokens begin with those that were read.
struct ChatMemory {
    private var text: [UInt8] = []
    private var tokens: [Int] = []
    /// Where answers ended.
    private var ends: [(byte: Int, token: Int)] = []

    /// The longest beginning of a text that ends where an answer ended.
    func beginning(of other: [UInt8]) -> (byte: Int, tokens: ArraySlice<Int>)? {
        guard let first = ends.first, other.count >= first.byte else { return nil }
        let common = zip(text, other).prefix { $0 == $1 }.count
        return ends.last { $0.byte <= common }.map { ($0.byte, tokens[..<$0.token]) }
    }

    /// - Parameter answer: remembered if its tokens are its text, whole and plain.
    mutating func remember(_ prompt: ChatPrompt, answer: Completion, _ tokenizer: Tokenizer) {
        let common = zip(text, prompt.text).prefix { $0 == $1 }.count
        ends.removeAll { $0.byte > common || !prompt.tokens.starts(with: tokens[..<$0.token]) }
        (text, tokens) = (prompt.text, prompt.tokens)
        var stream = TextStream(tokenizer)
        let spoken = answer.tokens.map { stream.append($0) }.joined() + stream.finish()
        guard !answer.tokens.isEmpty, spoken.utf8.elementsEqual(answer.text.utf8),
            !answer.tokens.contains(where: tokenizer.isSpecial)
        else { return }
        text += answer.text.utf8
        tokens += answer.tokens
        ends.append((text.count, tokens.count))
    }
}

extension ChatTemplate {
    /// A conversation's text and tokens.
    ///
    /// - Parameter memory: whose tokens come first, if the text goes on behind one of its answers with a special token: what
    ///   comes before and what comes after are then cut apart from each other anyway.
    func prompt(of conversation: Conversation, after memory: ChatMemory) throws -> ChatPrompt {
        let (segments, control) = try segments(of: conversation)
        guard let tokenizer else { throw missingTokenizer }
        let text = segments.flatMap { $0.text.utf8 }
        if let known = memory.beginning(of: text) {
            let rest = tokenizer.encode(Self.segments(segments, from: known.byte), control: control)
            if let first = rest.first, tokenizer.isSpecial(first) {
                return ChatPrompt(text: text, tokens: known.tokens + rest)
            }
        }
        return ChatPrompt(text: text, tokens: tokenizer.encode(segments, control: control))
    }

    private static func segments(_ segments: [Tokenizer.Segment], from byte: Int) -> [Tokenizer.Segment] {
        var left = byte
        return segments.compactMap { segment in
            let bytes = segment.text.utf8.dropFirst(left)
            left -= min(left, segment.text.utf8.count)
            return bytes.isEmpty
                ? nil : Tokenizer.Segment(text: String(decoding: bytes, as: UTF8.self), isTrusted: segment.isTrusted)
        }
    }
}
