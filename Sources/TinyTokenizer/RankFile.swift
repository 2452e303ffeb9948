/// A file of ranks, as the Python package `tiktoken` reads it: a line for each piece, its bytes in base 64 and its rank,
/// which is its id and says how early it is put together.
package struct RankFile: Sendable {
    package var file: String
    /// By rank.
    package var pieces: [[UInt8]] = []

    package init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        self.file = file
        var known: Set<[UInt8]> = []
        var repeated = 0
        for (index, line) in bytes.split(separator: 0x0A).enumerated() {
            let parts = line.split { $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }
            if parts.isEmpty { continue }
            func error(_ expected: String) -> TokenizerError {
                TokenizerError(
                    file: file, key: "line \(index + 1)", found: quoted(String(decoding: line, as: UTF8.self)),
                    expected: expected)
            }
            guard parts.count == 2, let piece = Base64.decoded(parts[0]), !piece.isEmpty,
                let rank = Int(String(decoding: parts[1], as: UTF8.self))
            else { throw error("a piece in base 64 and its rank") }
            // Some files repeat a piece; their readers pass it over and count on.
            guard rank == pieces.count + repeated else { throw error("rank \(pieces.count + repeated)") }
            if known.insert(piece).inserted { pieces.append(piece) } else { repeated += 1 }
        }
        if pieces.isEmpty { throw TokenizerError(file: file, key: "line 1", found: "nothing", expected: "pieces") }
    }

    /// Whether bytes look like a file of ranks: its first line does.
    package static func recognizes(_ bytes: [UInt8]) -> Bool {
        let line = bytes.prefix(400).prefix { $0 != 0x0A }
        let parts = line.split { $0 == 0x20 || $0 == 0x0D }
        return parts.count == 2 && Base64.decoded(parts[0]) != nil
            && Int(String(decoding: parts[1], as: UTF8.self)) != nil
    }
}

/// What a model adds to its file of ranks. The file itself says nothing of this.
package struct RankConvention: Sendable {
    var pattern: SplitPattern
    var normalizer = Normalizer.none
    /// Special tokens that follow the last rank, in order.
    var special: [String]
    /// Tokens for texts, of which some are spelled in two ways; they follow among the special ones.
    var spelled: [String: String] = [:]
    var beginningOfText: String?
    var endsOfText: [String]
}

extension Tokenizer {
    /// A tokenizer from a file of ranks.
    package init(ranks: RankFile, convention: RankConvention) throws(TokenizerError) {
        let file = ranks.file
        var entries: [PieceTable.Entry?] = []
        entries.reserveCapacity(ranks.pieces.count + convention.special.count)
        let alphabet = ByteLevel.alphabet
        for piece in ranks.pieces {
            var text = ""
            for byte in piece { text.unicodeScalars.append(alphabet[Int(byte)]) }
            entries.append(PieceTable.Entry(text: text, kind: .normal))
        }
        var added: [AddedToken] = []
        for text in convention.special {
            let isText = convention.spelled[text] != nil
            if let spelling = convention.spelled[text] {
                added.append(AddedToken(id: entries.count, text: spelling, isSpecial: false, isNormalized: true))
            }
            added.append(AddedToken(id: entries.count, text: text, isSpecial: !isText, isNormalized: isText))
            entries.append(
                PieceTable.Entry(text: convention.spelled[text] ?? text, kind: isText ? .added : .special))
        }
        let pieces = try PieceTable(entries, file: file, key: "ranks")
        let symbols = try Symbols(bytesOf: pieces, unknown: nil, file: file, key: "ranks")
        let model = BytePair(
            joining: .pieces(PieceRanks(pieces: pieces)), symbols: symbols, takesWholeWords: true)
        func ids(_ texts: [String]) -> [Int] { texts.compactMap { pieces.id(ofText: $0) } }
        self.init(
            file: file, pieces: pieces, model: .bytePair(model), normalizer: convention.normalizer,
            preTokenizer: PreTokenizer(steps: [.pattern(convention.pattern)]), decoder: .bytes, addedTokens: added,
            frame: Frame(), beginningOfText: ids([convention.beginningOfText].compactMap(\.self)).first,
            endOfText: Self.endTokens(pieces).union(ids(convention.endsOfText)))
    }
}
