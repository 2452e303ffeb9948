package import TinyJSON

extension Tokenizer {
    /// A tokenizer from a `tokenizer.json`, the format of the Python package `tokenizers`.
    ///
    /// - Parameters:
    ///   - json: the file, read with `tokenizerFileTables` as tables.
    ///   - file: its name, for errors.
    /// - Throws: on whatever the file asks for that is not supported, by name.
    package init(tokenizerFile json: JSON, file: String) throws(TokenizerError) {
        var root = try FileSection(json, file: file, path: "")
        // Neither changes what a text's tokens are: they say how many of them a caller would like.
        root.ignore("version", "truncation", "padding")
        let normalizer = try Normalizer(&root)
        let preTokenizer = try PreTokenizerReader(&root)
        let writing: PieceTable.Writing = preTokenizer.isByteLevel ? .byteAlphabet : .plain
        let frame = try Frame(&root)
        var decoder = try Decoder(&root, writing: writing)
        let added = try Self.addedTokens(&root)
        let reader = try ModelReader(&root, added: added, writing: writing)
        try root.finish()
        for id in frame.tokens where reader.pieces.kind(of: id) == .absent {
            throw root.error("post_processor", "token \(id)", "a token of the vocabulary")
        }
        // The Python package leaves the marks of word ends in the text; its callers take them out.
        if !reader.wordEnd.isEmpty { decoder = .steps([.wordEnds(reader.wordEnd)]) }
        self.init(
            file: file, pieces: reader.pieces, model: reader.model, normalizer: normalizer,
            preTokenizer: preTokenizer.preTokenizer, decoder: decoder, addedTokens: added, seams: reader.seams,
            frame: frame, beginningOfText: frame.opening.first, endOfText: Self.endTokens(reader.pieces))
    }

    /// Where the long lists of a `tokenizer.json` stand.
    package static let tokenizerFileTables = [["model", "vocab"], ["model", "merges"]]

    private static func addedTokens(_ root: inout FileSection) throws(TokenizerError) -> [AddedToken] {
        var tokens: [AddedToken] = []
        for var section in try root.sections("added_tokens", optional: true) {
            let isSpecial = try section.bool("special", default: false)
            let token = AddedToken(
                id: try section.integer("id"), text: try section.string("content"), isSpecial: isSpecial,
                stripsLeft: try section.bool("lstrip", default: false),
                stripsRight: try section.bool("rstrip", default: false),
                isSingleWord: try section.bool("single_word", default: false),
                isNormalized: try section.bool("normalized", default: !isSpecial))
            if token.text.isEmpty { throw section.error("content", "an empty text", "text") }
            try section.finish()
            tokens.append(token)
        }
        return tokens
    }
}
