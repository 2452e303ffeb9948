/// Text to tokens and back, as the model's own files say it.
///
/// A value: copies share their tables, and any number of tasks may use one at the same time.
public struct Tokenizer: Sendable {
    /// How a word becomes tokens.
    enum Model: Sendable {
        case bytePair(BytePair)
        case wordPiece(WordPiece)
        case unigram(Unigram)
    }

    let file: String
    let pieces: PieceTable
    let model: Model
    let normalizer: Normalizer
    let preTokenizer: PreTokenizer
    /// Those searched in the text as it is, and those searched in the normalized text.
    let rawTokens: AddedTokenMatcher
    let normalizedTokens: AddedTokenMatcher

    let decoder: Decoder
    /// Where a long word may be cut without a change to its tokens.
    let seams: Seams

    let frame: Frame
    /// What the file wants in front of a text: often the beginning-of-text token.
    package var opening: [Int] { frame.opening }
    /// What the file wants behind a text. A text that is to be continued has nothing behind it: see `encodeFramed`.
    package var closing: [Int] { frame.closing }
    /// The token that begins a text, whether or not the file wants it in front.
    public let beginningOfText: Int?
    /// The tokens that end a text or a turn.
    public private(set) var endOfText: Set<Int>

    init(
        file: String, pieces: PieceTable, model: Model, normalizer: Normalizer, preTokenizer: PreTokenizer,
        decoder: Decoder, addedTokens: [AddedToken], seams: Seams = Seams(), frame: Frame, beginningOfText: Int?,
        endOfText: Set<Int>
    ) {
        self.file = file
        self.pieces = pieces
        self.model = model
        self.normalizer = normalizer
        self.preTokenizer = preTokenizer
        self.decoder = decoder
        self.seams = seams
        // Without a normalizer the two searches would see the same text, but one after the other: files rely on it.
        rawTokens = AddedTokenMatcher(addedTokens.filter { !$0.isNormalized })
        normalizedTokens = AddedTokenMatcher(addedTokens.filter(\.isNormalized), normalizer: normalizer)
        self.frame = frame
        self.beginningOfText = beginningOfText
        self.endOfText = endOfText
    }

    /// The ids there are: one more than the highest. Ids between may be missing.
    public var count: Int { pieces.count }

    /// Whether a token steers the model rather than being text.
    public func isSpecial(_ token: Int) -> Bool { pieces.kind(of: token) == .special }

    /// The special or added token with this text.
    public func id(of text: String) -> Int? { pieces.id(ofText: text) }

    /// With ends of a text that a model's configuration knows beyond its tokenizer's file.
    package func adding(endOfText: some Sequence<Int>) -> Tokenizer {
        var copy = self
        copy.endOfText.formUnion(endOfText)
        return copy
    }

    /// Texts of special tokens that end a text or a turn wherever they occur; files name only one of them as the end,
    /// and instruction-tuned models use another.
    static let endTexts = [
        "<|endoftext|>", "<|end_of_text|>", "<|eot_id|>", "<|eom_id|>", "<|im_end|>", "<end_of_turn>",
    ]

    static func endTokens(_ pieces: PieceTable) -> Set<Int> {
        Set(endTexts.compactMap { pieces.id(ofText: $0) }.filter { pieces.kind(of: $0) == .special })
    }
}
