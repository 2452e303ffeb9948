package import TinyJSON

/// A file of ranks, as the Python package `tiktoken` reads it: a line for each piece, its bytes in base 64 and its rank,
/// which is its id and says how early it is put together.
package struct RankFile: Sendable {
    package var file: String
    /// By rank; bytes that may be no text.
    package private(set) var pieces = TextList()

    package init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        self.file = file
        var known = TextIndex()
        var repeated = 0
        var number = 0
        var start = 0
        while start < bytes.count {
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            let line = bytes[start..<end]
            start = end + 1
            number += 1
            func error(_ expected: String) -> TokenizerError {
                TokenizerError(
                    file: file, key: "line \(number)", found: quoted(String(decoding: line, as: UTF8.self)),
                    expected: expected)
            }
            guard let parts = Self.parts(line) else {
                if line.allSatisfy(Self.isSpace) { continue }
                throw error("a piece in base 64 and its rank")
            }
            guard let piece = Base64.decoded(parts.piece), !piece.isEmpty, let rank = Self.number(parts.rank) else {
                throw error("a piece in base 64 and its rank")
            }
            // Some files repeat a piece; their readers pass it over and count on.
            guard rank == pieces.count + repeated else { throw error("rank \(pieces.count + repeated)") }
            pieces.append(piece)
            if known.insertLast(of: pieces) != nil {
                pieces.removeLast()
                repeated += 1
            }
        }
        if pieces.isEmpty { throw TokenizerError(file: file, key: "line 1", found: "nothing", expected: "pieces") }
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x0D || byte == 0x09 }

    /// The two parts of a line, or nil if there are not two.
    private static func parts(_ line: ArraySlice<UInt8>) -> (piece: ArraySlice<UInt8>, rank: ArraySlice<UInt8>)? {
        let text = line.drop(while: isSpace)
        let piece = text.prefix { !isSpace($0) }
        let rank = text[piece.endIndex...].drop(while: isSpace).prefix { !isSpace($0) }
        guard !rank.isEmpty, line[rank.endIndex...].allSatisfy(isSpace) else { return nil }
        return (piece, rank)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard digits.count <= 9, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    /// Whether bytes look like a file of ranks: its first line does.
    package static func recognizes(_ bytes: [UInt8]) -> Bool {
        guard let parts = parts(bytes.prefix(400).prefix { $0 != 0x0A }) else { return false }
        return Base64.decoded(parts.piece) != nil && number(parts.rank) != nil
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
        var list = PieceList(ranks.pieces)
        var added: [AddedToken] = []
        for text in convention.special {
            let isText = convention.spelled[text] != nil
            if let spelling = convention.spelled[text] {
                added.append(AddedToken(id: list.count, text: spelling, isSpecial: false, isNormalized: true))
            }
            added.append(AddedToken(id: list.count, text: text, isSpecial: !isText, isNormalized: isText))
            list.append((convention.spelled[text] ?? text).utf8, isText ? .added : .special)
        }
        let pieces = try PieceTable(list, writing: .bytes, file: file, key: "ranks")
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
