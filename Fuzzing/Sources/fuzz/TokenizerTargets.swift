import TinyJSON
import TinyTokenizer

enum JSONTarget: Target {
    static let jsonFrame: JSONFrame? = .first

    static func run(_ input: Input) throws { _ = try JSON(parsing: input.bytes) }
}

enum TokenizerJSONTarget: Target {
    static let jsonFrame: JSONFrame? = .first

    static func run(_ input: Input) throws {
        let (file, text) = input.split
        let json = try JSON(parsing: file, tables: Tokenizer.tokenizerFileTables)
        try use(Tokenizer(tokenizerFile: json, file: "tokenizer.json"), text)
    }
}

/// SentencePiece's `tokenizer.model`.
enum SentencePieceTarget: Target {
    static func run(_ input: Input) throws {
        let vocabulary = try SentencePieceVocabulary(modelFile: input.bytes, file: "tokenizer.model")
        let added = [AddedToken(id: 3, text: "<added>", isSpecial: false, stripsLeft: true)]
        try use(
            Tokenizer(sentencePiece: vocabulary, added: added, addsBeginning: true, addsEnd: true), input.tail)
        try use(Tokenizer(sentencePiece: vocabulary, addsBeginning: false, addsEnd: false), input.tail)
    }
}

/// A file of ranks; which model's is told by its name, so every convention has its turn.
enum RanksTarget: Target {
    static func run(_ input: Input) throws {
        let (file, text) = input.split
        // Hardly a change leaves such a file in order, so its bytes may serve as pieces of a file that is: sometimes, as
        // each of those makes a tokenizer of hundreds of tokens.
        if file.count.isMultiple(of: 4) { try use(orderly(file), text) }
        _ = RankFile.recognizes(file)
        try use(file, text)
    }

    private static func use(_ file: [UInt8], _ text: String) throws {
        let ranks = try RankFile(file, file: "ranks.tiktoken")
        let names = ["qwen.tiktoken", "hy.tiktoken", "360.tiktoken", "tokenizer.model"]
        guard let convention = RankConvention(fileName: names[text.utf8.count % names.count]) else { return }
        try fuzz.use(Tokenizer(ranks: ranks, convention: convention), text)
    }

    private static func orderly(_ bytes: [UInt8]) -> [UInt8] {
        let pieces = (0..<256).map { [UInt8($0)] } + bytes.split(separator: 0x0A).map(Array.init)
        return pieces.enumerated().flatMap { rank, piece in base64(piece) + Array(" \(rank)\n".utf8) }
    }

    private static func base64(_ bytes: [UInt8]) -> [UInt8] {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        return stride(from: 0, to: bytes.count, by: 3).flatMap { start in
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            return (0..<4).map { $0 <= group.count ? digits[bits >> (18 - 6 * $0) & 63] : UInt8(ascii: "=") }
        }
    }
}

/// What tokenizers stumble over: white space of all kinds, marks without a letter, characters of every length, a word
/// with no end, numbers, and what looks like a special token.
private let nastyText =
    "  Hello,\tworld's\r\n\u{300}e\u{301} ǆ ﬁ Å½ 한국 \u{1F468}\u{200D}\u{1F469} \u{FEFF}\u{2581}\u{3000}日本語 "
    + "12345678 \u{0}\u{FFFD} <s></s><|im_start|> <0x0A>[UNK] Ġ ##ab \u{E0061}\u{202E}"
    + String(repeating: "ab", count: 150)

/// Texts to tokens and back; a token at a time must give what all at once gives.
func use(_ tokenizer: Tokenizer, _ text: String) throws {
    for text in [text, nastyText] {
        var tokens = tokenizer.encode(text)
        _ = tokenizer.encodePrompt(text, special: true)
        tokens += [0, tokenizer.count - 1]
        for skipSpecial in [false, true] {
            var stream = TextStream(tokenizer, skipSpecial: skipSpecial)
            let pieces = tokens.map { stream.append($0) } + [stream.finish()]
            guard let whole = try? tokenizer.decode(tokens, skipSpecial: skipSpecial) else { continue }
            precondition(pieces.joined().utf8.elementsEqual(whole.utf8), "a stream says something else: \(tokens)")
        }
        for token in tokens.prefix(20) { _ = try? tokenizer.piece(token) }
    }
}
