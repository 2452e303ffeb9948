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
            let vocabulary = try section.section("vocab")
            let merges = try section.array("merges")
            try section.finish()
            let entries = try vocabularyEntries(vocabulary, added, byteFallback: settings.fallsBackToBytes)
            pieces = try PieceTable(entries, writing: writing, file: file, key: vocabulary.path)
            let unknown = try Self.unknown(settings.unknown, vocabulary, section)
            if writing == .byteAlphabet, unknown != nil, settings.fusesUnknown {
                throw section.error("fuse_unk", "true", "false; fusing is not supported with ByteLevel")
            }
            wordEnd = settings.wordEnd
            let symbols =
                writing == .byteAlphabet
                ? try Symbols(
                    bytesOf: pieces, wordEnd: wordEnd, unknown: unknown, file: file, key: vocabulary.path)
                : Symbols(
                    unit: .characters, byteTokens: settings.fallsBackToBytes ? Symbols.fallbackTokens(pieces) : [],
                    unknown: unknown, fusesUnknown: settings.fusesUnknown)
            if writing == .plain, !wordEnd.isEmpty {
                throw section.error("end_of_word_suffix", "a suffix", "none without ByteLevel")
            }
            let table = try MergeTable(
                pieces: pieces, writing: writing, count: merges.count, file: file, key: "model.merges"
            ) { rank throws(TokenizerError) in try Self.merge(merges[rank], rank, section) }
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
            let vocabulary = try section.section("vocab")
            try section.finish()
            let entries = try vocabularyEntries(vocabulary, added, byteFallback: false)
            pieces = try PieceTable(entries, writing: .plain, file: file, key: vocabulary.path)
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
            pieces = try PieceTable(list.entries, writing: .plain, file: file, key: "model.vocab")
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
        _ text: String?, _ vocabulary: FileSection, _ section: FileSection
    ) throws(TokenizerError) -> Int? {
        guard let text else { return nil }
        guard let id = vocabulary.object[text]?.integer else {
            throw section.error("unk_token", quoted(text), "a piece of the vocabulary")
        }
        return id
    }

    private static func merge(
        _ merge: JSON, _ rank: Int, _ section: FileSection
    ) throws(TokenizerError) -> MergeText {
        switch merge {
        case .string(let text): return .joined(text)
        case .array(let parts):
            if parts.count == 2, let left = parts[0].string, let right = parts[1].string { return .pair(left, right) }
            throw section.error("merges[\(rank)]", "an array of \(parts.count)", "two strings")
        case let other: throw section.error("merges[\(rank)]", other.kind, "\"a b\" or [\"a\", \"b\"]")
        }
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
    var entries: [PieceTable.Entry?] = []
    var scores: [Double] = []
    /// Without added tokens.
    var count = 0

    init(_ section: inout FileSection, added: [AddedToken], byteFallback: Bool) throws(TokenizerError) {
        let list = try section.array("vocab")
        for (id, item) in list.enumerated() {
            guard let parts = item.array, parts.count == 2, let text = parts[0].string, let score = parts[1].double
            else { throw section.error("vocab[\(id)]", item.kind, "a piece and its score") }
            let isByte = byteFallback && Symbols.byteValue(text.utf8) != nil
            entries.append(PieceTable.Entry(text: text, kind: isByte ? .byte : .normal))
            scores.append(score)
        }
        count = list.count
        try addTokens(added, to: &entries, limit: 2 * (list.count + added.count) + 65536, section.file)
        scores += Array(repeating: 0, count: entries.count - scores.count)
    }
}

/// The pieces by id. Ids may leave holes, but not so many that a small file asks for much memory.
private func vocabularyEntries(
    _ vocabulary: FileSection, _ added: [AddedToken], byteFallback: Bool
) throws(TokenizerError) -> [PieceTable.Entry?] {
    let limit = 2 * (vocabulary.object.count + added.count) + 65536
    var entries: [PieceTable.Entry?] = []
    entries.reserveCapacity(vocabulary.object.count + added.count)
    for (text, value) in zip(vocabulary.object.keys, vocabulary.object.values) {
        guard let id = value.integer, 0..<limit ~= id else {
            throw vocabulary.error(quoted(text), value.integer.map { "\($0)" } ?? value.kind, "an id below \(limit)")
        }
        while entries.count <= id { entries.append(nil) }
        if let other = entries[id] {
            throw vocabulary.error(quoted(text), "\(id), which is \(quoted(other.text)) already", "each id once")
        }
        let isByte = byteFallback && Symbols.byteValue(text.utf8) != nil
        entries[id] = PieceTable.Entry(text: text, kind: isByte ? .byte : .normal)
    }
    try addTokens(added, to: &entries, limit: limit, vocabulary.file) { vocabulary.object[$0]?.integer }
    return entries
}

private func addTokens(
    _ added: [AddedToken], to entries: inout [PieceTable.Entry?], limit: Int, _ file: String,
    known: (String) -> Int? = { _ in nil }
) throws(TokenizerError) {
    for (index, token) in added.enumerated() {
        func error(_ found: String, _ expected: String) -> TokenizerError {
            TokenizerError(file: file, key: "added_tokens[\(index)].id", found: found, expected: expected)
        }
        guard 0..<limit ~= token.id else { throw error("\(token.id)", "an id below \(limit)") }
        if let known = known(token.text), known != token.id {
            throw error("\(token.id)", "\(known), which \(quoted(token.text)) is in model.vocab")
        }
        while entries.count <= token.id { entries.append(nil) }
        if let other = entries[token.id],
            other.kind == .added || other.kind == .special
                || ExactKey(other.text) != ExactKey(token.text)
        {
            throw error("\(token.id), which is \(quoted(other.text)) already", "each id once")
        }
        entries[token.id] = PieceTable.Entry(text: token.text, kind: token.isSpecial ? .special : .added)
    }
}
