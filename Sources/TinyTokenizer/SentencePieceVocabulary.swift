/// A SentencePiece model, from whichever file: pieces with scores, and what it does to a text.
package struct SentencePieceVocabulary: Sendable {
    package struct Piece: Sendable {
        package var text: String
        package var score: Float
        /// 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte.
        package var type: Int

        package init(text: String, score: Float, type: Int) {
            self.text = text
            self.score = score
            self.type = type
        }
    }

    package var file: String
    /// How the file names its list of pieces, for errors.
    package var key: String
    package var pieces: [Piece] = []
    /// Byte-pair encoding; else a unigram model.
    package var isBytePair = false
    package var fallsBackToBytes = false
    /// The compiled map as the file holds it; empty if there is none.
    package var characterMap: [UInt8] = []
    package var addsSpace = true
    package var removesExtraSpaces = true
    package var escapesSpaces = true
    package var beginningOfText: Int?
    package var endOfText: Int?

    package init(file: String, key: String) {
        self.file = file
        self.key = key
    }

    func list() throws(TokenizerError) -> PieceList {
        var list = PieceList()
        list.reserveCapacity(pieces.count)
        for (id, piece) in pieces.enumerated() {
            let kind: PieceTable.Kind
            switch piece.type {
            case 1: kind = .normal
            case 2, 3: kind = .special
            case 4: kind = .added
            case 5: kind = .unused
            case 6:
                kind = .byte
                if Symbols.byteValue(piece.text.utf8) == nil {
                    throw TokenizerError(
                        file: file, key: "\(key)[\(id)]", found: quoted(piece.text), expected: "a byte, as <0x0A>")
                }
            case let type:
                throw TokenizerError(
                    file: file, key: "\(key)[\(id)]", found: "type \(type)", expected: "a type of 1 to 6")
            }
            list.append(piece.text.utf8, kind)
        }
        return list
    }
}

extension Tokenizer {
    /// A tokenizer of a SentencePiece model.
    ///
    /// - Parameters:
    ///   - added: tokens that other files add, or put in the place of a piece.
    ///   - addsBeginning: whether the beginning-of-text token stands in front of every text.
    ///   - addsEnd: whether the end-of-text token stands behind it.
    package init(
        sentencePiece vocabulary: SentencePieceVocabulary, added: [AddedToken] = [], addsBeginning: Bool,
        addsEnd: Bool
    ) throws(TokenizerError) {
        let file = vocabulary.file
        var list = try vocabulary.list()
        for token in added {
            guard token.id >= 0, token.id < list.count + 65536 else {
                throw TokenizerError(
                    file: file, key: "added token \(quoted(token.text))", found: "id \(token.id)",
                    expected: "one below \(list.count + 65536)")
            }
            list.set(token.id, token.text, token.isSpecial ? .special : .added)
        }
        let pieces = try PieceTable(list, writing: .plain, file: file, key: vocabulary.key)
        let unknown = vocabulary.pieces.firstIndex { $0.type == 2 }
        let bytes = vocabulary.fallsBackToBytes ? Symbols.fallbackTokens(pieces) : []
        guard unknown != nil || !bytes.isEmpty else {
            throw TokenizerError(
                file: file, key: vocabulary.key, found: "no piece for the unknown", expected: "one of type 2")
        }

        var map: CharacterMap?
        if !vocabulary.characterMap.isEmpty {
            map = CharacterMap(vocabulary.characterMap)
            if map == nil {
                throw TokenizerError(
                    file: file, key: "precompiled_charsmap", found: "\(vocabulary.characterMap.count) bytes",
                    expected: "a trie and its texts")
            }
        }
        // Its own pieces of the user are part of the model; those that other files add are cut out first.
        var userDefined = ByteTrie()
        for (id, piece) in vocabulary.pieces.enumerated() where piece.type == 4 && pieces.kind(of: id) == .added {
            _ = userDefined.insert(Array(piece.text.utf8), value: Int32(id))
        }
        let normalizer = SentencePieceNormalizer(
            map: map, addsSpace: vocabulary.addsSpace, removesExtraSpaces: vocabulary.removesExtraSpaces,
            escapesSpaces: vocabulary.escapesSpaces, protected: userDefined)

        let model: Model
        var seams = Seams()
        if vocabulary.isBytePair {
            let ranks = PieceRanks(scores: vocabulary.pieces.map(\.score), pieces: pieces)
            let symbols = Symbols(unit: .characters, byteTokens: bytes, unknown: unknown)
            model = .bytePair(BytePair(joining: .pieces(ranks), symbols: symbols))
            seams = Seams(pieces, userDefined: userDefined)
        } else {
            let normal = vocabulary.pieces.lazy.filter { $0.type == 1 }.map { Double($0.score) }
            // SentencePiece looks for the highest from just above zero on, and scores are logarithms, below it.
            let highest = max(normal.max() ?? 0, Double(Float.leastNormalMagnitude))
            var scores = vocabulary.pieces.map { piece in
                // More than any pieces in its place could have together.
                piece.type == 4 ? Double(piece.text.unicodeScalars.count) * highest - 0.1 : Double(piece.score)
            }
            scores += Array(repeating: 0, count: pieces.count - scores.count)
            model = .unigram(
                Unigram(
                    pieces: pieces, scores: scores, lowest: normal.min() ?? 0, unknown: unknown, byteTokens: bytes,
                    isSinglePrecision: true))
        }
        for (key, id) in [("bos_token_id", vocabulary.beginningOfText), ("eos_token_id", vocabulary.endOfText)] {
            if let id, pieces.kind(of: id) == .absent {
                throw TokenizerError(
                    file: file, key: key, found: "\(id)", expected: "an id of the vocabulary, below \(pieces.count)")
            }
        }
        let control = vocabulary.pieces.indices.filter { id in
            pieces.kind(of: id) == .special && !added.contains { $0.id == id }
        }
        self.init(
            file: file, pieces: pieces, model: model, normalizer: Normalizer(steps: [.sentencePiece(normalizer)]),
            preTokenizer: PreTokenizer(),
            decoder: .sentencePiece(
                SentencePieceDecoder(
                    unknown: unknown, dropsFirstSpace: vocabulary.addsSpace || vocabulary.removesExtraSpaces,
                    removesExtraSpaces: vocabulary.removesExtraSpaces)),
            addedTokens: added
                + control.map { AddedToken(id: $0, text: vocabulary.pieces[$0].text, isSpecial: true) },
            seams: seams,
            frame: Frame(
                opening: addsBeginning ? [vocabulary.beginningOfText].compactMap(\.self) : [],
                closing: addsEnd ? [vocabulary.endOfText].compactMap(\.self) : []),
            beginningOfText: vocabulary.beginningOfText,
            endOfText: Self.endTokens(pieces).union([vocabulary.endOfText].compactMap(\.self)))
    }
}
