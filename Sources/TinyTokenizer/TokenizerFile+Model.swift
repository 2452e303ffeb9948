internal import TinyJSON

/// A file's `model`: the pieces and how words become them.
struct ModelReader {
    let pieces: PieceTable
    let model: Tokenizer.Model
    var seams = Seams()
    /// What words end with in the vocabulary; empty if nothing.
    var wordEnd: [UInt8] = []

    init(
        _ root: inout FileSection, added: [AddedToken], writing: PieceTable.Writing
    ) throws(TokenizerError) {
        var section = try root.section("model")
        let type = try section.optionalString("type") ?? (section.object["merges"] == nil ? "WordPiece" : "BPE")
        let file = section.file
        switch type {
        case "BPE":
            let settings = try BytePairSettings(&section)
            let vocabulary = try NamedPieces(&section, added: added, byteFallback: settings.fallsBackToBytes)
            let merges = try Self.merges(&section)
            try section.finish()
            pieces = try PieceTable(vocabulary.list, writing: writing, file: file, key: "model.vocab")
            let unknown = try Self.unknown(settings.unknown, vocabulary, section)
            if writing == .byteAlphabet, unknown != nil, settings.fusesUnknown {
                throw section.error("fuse_unk", "true", "false; fusing is not supported with ByteLevel")
            }
            wordEnd = settings.wordEnd
            let symbols =
                writing == .byteAlphabet
                ? try Symbols(
                    bytesOf: pieces, wordEnd: wordEnd, unknown: unknown, file: file, key: "model.vocab")
                : Symbols(
                    unit: .characters, byteTokens: settings.fallsBackToBytes ? Symbols.fallbackTokens(pieces) : [],
                    unknown: unknown, fusesUnknown: settings.fusesUnknown)
            if writing == .plain, !wordEnd.isEmpty {
                throw section.error("end_of_word_suffix", "a suffix", "none without ByteLevel")
            }
            let table = try MergeTable(
                pieces: pieces, writing: writing, merges, file: file, key: "model.merges")
            let bytePair = BytePair(
                joining: .merges(table), symbols: symbols, takesWholeWords: settings.takesWholeWords)
            model = .bytePair(bytePair)
            // A whole word that is one piece must be seen whole.
            if writing == .plain, !settings.takesWholeWords { seams = Seams(pieces) }
        case "WordPiece":
            let prefix = try section.optionalString("continuing_subword_prefix") ?? "##"
            let limit =
                section.object["max_input_chars_per_word"] == nil
                ? 100 : try section.integer("max_input_chars_per_word")
            let unknownText = try section.optionalString("unk_token") ?? "[UNK]"
            let vocabulary = try NamedPieces(&section, added: added, byteFallback: false)
            try section.finish()
            pieces = try PieceTable(vocabulary.list, writing: .plain, file: file, key: "model.vocab")
            guard let unknown = try Self.unknown(unknownText, vocabulary, section), writing == .plain else {
                throw section.error("type", "WordPiece behind ByteLevel", "another pre-tokenizer")
            }
            model = .wordPiece(
                WordPiece(pieces: pieces, unknown: unknown, prefix: Array(prefix.utf8), characterLimit: limit))
        case "Unigram":
            let fallsBack = try section.bool("byte_fallback", default: false)
            let unknown = section.object["unk_id"]?.isNull ?? true ? nil : try section.integer("unk_id")
            section.ignore("unk_id")
            let list = try ScoredPieces(&section, added: added, byteFallback: fallsBack)
            try section.finish()
            pieces = try PieceTable(list.list, writing: .plain, file: file, key: "model.vocab")
            if let unknown, pieces.kind(of: unknown) == .absent {
                throw section.error("unk_id", "\(unknown)", "a piece of the vocabulary")
            }
            if writing != .plain { throw section.error("type", "Unigram behind ByteLevel", "another pre-tokenizer") }
            model = .unigram(
                Unigram(
                    pieces: pieces, scores: list.scores, lowest: list.scores.prefix(list.count).min() ?? 0,
                    unknown: unknown, byteTokens: fallsBack ? Symbols.fallbackTokens(pieces) : [],
                    isSinglePrecision: false))
        case let type:
            throw section.error("type", quoted(type), "BPE, WordPiece or Unigram; others are not supported")
        }
    }

    private static func unknown(
        _ text: String?, _ vocabulary: NamedPieces, _ section: FileSection
    ) throws(TokenizerError) -> Int? {
        guard let text else { return nil }
        guard let id = vocabulary.table[text] else {
            throw section.error("unk_token", quoted(text), "a piece of the vocabulary")
        }
        return id
    }

    private static func merges(_ section: inout FileSection) throws(TokenizerError) -> MergeList {
        let (table, tree) = try section.table("merges", object: false)
        switch table?.form {
        case .texts: return MergeList(joined: table?.texts ?? [])
        case .pairs: return MergeList(pairs: table?.texts ?? [])
        case .scores: throw section.error("merges[0]", "a text and a number", "two strings")
        default: break
        }
        for (rank, merge) in (tree.array ?? []).enumerated() {
            switch merge {
            case .string: continue
            case .array(let parts) where parts.count == 2 && parts.allSatisfy { $0.string != nil }: continue
            case .array(let parts):
                throw section.error("merges[\(rank)]", "an array of \(parts.count)", "two strings")
            case let other: throw section.error("merges[\(rank)]", other.kind, "\"a b\" or [\"a\", \"b\"]")
            }
        }
        throw section.error("merges", "elements that differ in kind", "only \"a b\", or only [\"a\", \"b\"]")
    }
}

private struct BytePairSettings {
    var takesWholeWords: Bool
    var fusesUnknown: Bool
    var fallsBackToBytes: Bool
    var unknown: String?
    var wordEnd: [UInt8]

    init(_ section: inout FileSection) throws(TokenizerError) {
        try section.expect("dropout", .null, .integer(0), .number(0))
        try section.expect("continuing_subword_prefix", .null, .string(""))
        takesWholeWords = try section.bool("ignore_merges", default: false)
        fusesUnknown = try section.bool("fuse_unk", default: false)
        fallsBackToBytes = try section.bool("byte_fallback", default: false)
        unknown = try section.optionalString("unk_token")
        wordEnd = Array((try section.optionalString("end_of_word_suffix") ?? "").utf8)
    }
}

/// The vocabulary of a unigram model: a list of pieces with their scores, which may stand twice.
private struct ScoredPieces {
    var list: PieceList
    var scores: [Double]
    /// Without added tokens.
    let count: Int

    init(_ section: inout FileSection, added: [AddedToken], byteFallback: Bool) throws(TokenizerError) {
        let (table, tree) = try section.table("vocab", object: false)
        guard let table, table.form == .scores || table.count == 0 else {
            for (id, item) in (tree.array ?? []).enumerated() {
                if let parts = item.array, parts.count == 2, parts[0].string != nil, parts[1].double != nil { continue }
                throw section.error("vocab[\(id)]", item.kind, "a piece and its score")
            }
            throw section.error("vocab[0]", table?.form == .texts ? "a string" : "an array", "a piece and its score")
        }
        list = PieceList(table.texts)
        scores = table.numbers
        count = table.count
        if byteFallback { list.markBytes() }
        try list.add(added, limit: 2 * (count + added.count) + 65536, section.file)
        scores += Array(repeating: 0, count: list.count - scores.count)
    }
}

/// The vocabulary of the other models: an object from pieces to ids. Ids may leave holes, but not so many that a small
/// file asks for much memory.
private struct NamedPieces {
    var list: PieceList
    let table: JSONTable

    init(_ section: inout FileSection, added: [AddedToken], byteFallback: Bool) throws(TokenizerError) {
        let (table, tree) = try section.table("vocab", object: true)
        let count = table?.count ?? tree.object?.count ?? 0
        let limit = 2 * (count + added.count) + 65536
        let section = section
        func error(_ text: String, _ found: String, _ expected: String) -> TokenizerError {
            section.error("vocab.\(quoted(text))", found, expected)
        }
        guard let table else {
            for (text, value) in zip(tree.object?.keys ?? [], tree.object?.values ?? [])
            where value.integer == nil { throw error(text, value.kind, "an id below \(limit)") }
            throw section.error("vocab", "an object", "pieces with their ids")
        }
        list = try PieceList(table.texts, ids: table.integers, limit: limit) { place, other throws(TokenizerError) in
            let (text, id) = (table.texts[place], table.integers[place])
            guard let other else { throw error(text, "\(id)", "an id below \(limit)") }
            throw error(text, "\(id), which is \(quoted(table.texts[other])) already", "each id once")
        }
        self.table = table
        if byteFallback { list.markBytes() }
        try list.add(added, limit: limit, section.file) { table[$0] }
    }
}

extension PieceList {
    /// Pieces such as `<0x0A>` stand for bytes.
    fileprivate mutating func markBytes() {
        for id in 0..<count where kind(id) == .normal {
            let range = range(id)
            if range.count == 6, Symbols.byteValue(texts.bytes[range]) != nil { setKind(id, .byte) }
        }
    }

    fileprivate mutating func add(
        _ added: [AddedToken], limit: Int, _ file: String, known: (String) -> Int? = { _ in nil }
    ) throws(TokenizerError) {
        for (index, token) in added.enumerated() {
            func error(_ found: String, _ expected: String) -> TokenizerError {
                TokenizerError(file: file, key: "added_tokens[\(index)].id", found: found, expected: expected)
            }
            guard 0..<limit ~= token.id else { throw error("\(token.id)", "an id below \(limit)") }
            if let known = known(token.text), known != token.id {
                throw error("\(token.id)", "\(known), which \(quoted(token.text)) is in model.vocab")
            }
            if token.id < count, let kind = kind(token.id),
                kind == .added || kind == .special || !ExactText.equal(text(token.id), token.text)
            {
                throw error("\(token.id), which is \(quoted(text(token.id))) already", "each id once")
            }
            set(token.id, token.text, token.isSpecial ? .special : .added)
        }
    }
}
