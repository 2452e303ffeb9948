package import TinyJSON

extension Tokenizer {
    /// A tokenizer from a `tokenizer.json`, the format of the Python package `tokenizers`.
    ///
    /// - Parameter file: the file's name, for errors.
    /// - Throws: on whatever the file asks for that is not supported, by name.
    package init(tokenizerFile json: JSON, file: String) throws(TokenizerError) {
        var root = try FileSection(json, file: file, path: "")
        // Neither changes what a text's tokens are: they say how many of them a caller would like.
        root.ignore("version", "truncation", "padding")
        let normalizer = try Normalizer(&root)
        let preTokenizer = try PreTokenizer(&root)
        let frame = try Frame(&root)
        try Self.checkDecoder(&root)
        var model = try root.section("model")
        let added = try Self.addedTokens(&root)
        try root.finish()

        try model.expect("type", .string("BPE"))
        try model.expect("dropout", .null)
        try model.expect("continuing_subword_prefix", .null, .string(""))
        try model.expect("end_of_word_suffix", .null, .string(""))
        try model.expect("byte_fallback", .null, .bool(false))
        let takesWholeWords = try model.bool("ignore_merges", default: false)
        let fusesUnknown = try model.bool("fuse_unk", default: false)
        let unknownText = try model.optionalString("unk_token")
        let vocabulary = try model.section("vocab")
        let merges = try model.array("merges")
        try model.finish()

        let entries = try Self.entries(vocabulary, added)
        let pieces = try PieceTable(entries, file: file, key: vocabulary.path)
        var unknown: Int?
        if let unknownText {
            unknown = vocabulary.object[unknownText]?.integer
            if unknown == nil { throw model.error("unk_token", quoted(unknownText), "a piece of the vocabulary") }
            if fusesUnknown { throw model.error("fuse_unk", "true", "false; fusing is not supported") }
        }
        let bytePair = try BytePair(
            pieces: pieces, mergeCount: merges.count, takesWholeWords: takesWholeWords, unknown: unknown, file: file,
            piecesKey: vocabulary.path, key: "model.merges"
        ) { rank throws(TokenizerError) in
            switch merges[rank] {
            case .string(let text): return .joined(text)
            case .array(let parts):
                if parts.count == 2, let left = parts[0].string, let right = parts[1].string {
                    return .pair(left, right)
                }
                throw model.error("merges[\(rank)]", "an array of \(parts.count)", "two strings")
            case let other: throw model.error("merges[\(rank)]", other.kind, "\"a b\" or [\"a\", \"b\"]")
            }
        }
        for id in frame.opening + frame.closing where pieces.kind(of: id) == .absent {
            throw root.error("post_processor", "token \(id)", "a token of the vocabulary")
        }
        self.init(
            file: file, pieces: pieces, model: .bytePair(bytePair), normalizer: normalizer, preTokenizer: preTokenizer,
            addedTokens: added, opening: frame.opening, closing: frame.closing,
            beginningOfText: frame.opening.first, endOfText: Self.endTokens(pieces))
    }

    // MARK: Vocabulary

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

    /// The pieces by id. Ids may leave holes, but not so many that a small file asks for much memory.
    private static func entries(
        _ vocabulary: FileSection, _ added: [AddedToken]
    ) throws(TokenizerError) -> [PieceTable.Entry?] {
        let limit = 2 * (vocabulary.object.count + added.count) + 65536
        var entries: [PieceTable.Entry?] = []
        func grow(to id: Int) {
            while entries.count <= id { entries.append(nil) }
        }
        entries.reserveCapacity(vocabulary.object.count + added.count)
        for (text, value) in zip(vocabulary.object.keys, vocabulary.object.values) {
            guard let id = value.integer, 0..<limit ~= id else {
                throw vocabulary.error(
                    quoted(text), value.integer.map { "\($0)" } ?? value.kind, "an id below \(limit)")
            }
            grow(to: id)
            if let other = entries[id] {
                throw vocabulary.error(quoted(text), "\(id), which is \(quoted(other.text)) already", "each id once")
            }
            entries[id] = PieceTable.Entry(text: text, kind: .normal)
        }
        for (index, token) in added.enumerated() {
            func error(_ key: String, _ found: String, _ expected: String) -> TokenizerError {
                TokenizerError(
                    file: vocabulary.file, key: "added_tokens[\(index)].\(key)", found: found, expected: expected)
            }
            guard 0..<limit ~= token.id else { throw error("id", "\(token.id)", "an id below \(limit)") }
            grow(to: token.id)
            if let known = vocabulary.object[token.text]?.integer, known != token.id {
                throw error("id", "\(token.id)", "\(known), which \(quoted(token.text)) is in model.vocab")
            }
            if let other = entries[token.id], other.kind != .normal || ExactKey(other.text) != ExactKey(token.text) {
                throw error("id", "\(token.id), which is \(quoted(other.text)) already", "each id once")
            }
            entries[token.id] = PieceTable.Entry(text: token.text, kind: token.isSpecial ? .special : .added)
        }
        return entries
    }

    // MARK: Decoder

    /// Only the decoder that puts bytes back; `decode` is that decoder.
    private static func checkDecoder(_ root: inout FileSection) throws(TokenizerError) {
        var decoder = try root.section("decoder")
        try decoder.expect("type", .string("ByteLevel"))
        decoder.ignore("add_prefix_space", "trim_offsets", "use_regex")
        try decoder.finish()
    }
}
