internal import TinyJSON

extension Tokenizer {
    /// A vocabulary of SentencePiece: `llama` is its byte-pair encoding, `t5` its unigram model.
    init(sentencePiece vocabulary: Vocabulary, isBytePair: Bool) throws(TokenizerError) {
        let tokens = vocabulary.tokens
        func error(_ key: String, _ found: String, _ expected: String) -> TokenizerError {
            TokenizerError(file: vocabulary.file, key: "tokenizer.ggml." + key, found: found, expected: expected)
        }
        for (key, count) in [("scores", vocabulary.scores.count), ("token_type", vocabulary.types.count)]
        where count != tokens.count {
            throw error(key, "\(count) entries", "\(tokens.count), one for each token")
        }
        if let index = vocabulary.scores.firstIndex(where: { !$0.isFinite }) {
            throw error("scores[\(index)]", "\(vocabulary.scores[index])", "a finite number")
        }
        var model = SentencePieceVocabulary(file: vocabulary.file, key: "tokenizer.ggml.tokens")
        model.pieces = (0..<tokens.count).map { id in
            // Converters write the spaces of the user's pieces as spaces; they are marks in a text when pieces are found.
            let text = vocabulary.types[id] == 4 ? tokens[id].map { $0 == " " ? "\u{2581}" : $0 } : nil
            return .init(
                text: text.map { String($0) } ?? tokens[id], score: vocabulary.scores[id], type: vocabulary.types[id])
        }
        model.isBytePair = isBytePair
        model.fallsBackToBytes = vocabulary.types.contains(6)
        model.characterMap = vocabulary.characterMap
        model.addsSpace = vocabulary.addsSpacePrefix ?? true
        model.removesExtraSpaces = vocabulary.removesExtraSpaces ?? false
        model.beginningOfText = vocabulary.beginningOfText
        model.endOfText = vocabulary.endOfText
        let addsBeginning = vocabulary.addsBeginningOfText ?? isBytePair
        if addsBeginning && vocabulary.beginningOfText == nil {
            throw error("bos_token_id", "nothing", "an id, since the file wants it in front of every text")
        }
        try self.init(
            sentencePiece: model, addsBeginning: addsBeginning, addsEnd: vocabulary.addsEndOfText ?? !isBytePair)
        if let end = vocabulary.endOfTurn { self = adding(endOfText: [end]) }
    }

    /// Byte-pair encoding of a whole text by a list of merges, in which spaces are written as marks and bytes stand in
    /// for characters without a piece: the form in which newer vocabularies of SentencePiece are published.
    init(markedPairs vocabulary: Vocabulary) throws(TokenizerError) {
        let (file, key) = (vocabulary.file, "tokenizer.ggml.tokens")
        guard vocabulary.types.count == vocabulary.tokens.count else {
            throw TokenizerError(
                file: file, key: "tokenizer.ggml.token_type", found: "\(vocabulary.types.count) entries",
                expected: "\(vocabulary.tokens.count), one for each token")
        }
        var list = PieceList(vocabulary.tokens)
        for (id, type) in vocabulary.types.enumerated() {
            switch type {
            case 1: break
            case 2, 3: list.setKind(id, .special)
            case 4: list.setKind(id, .added)
            case 5: list.setKind(id, .unused)
            case 6 where Symbols.byteValue(vocabulary.tokens[id].utf8) != nil: list.setKind(id, .byte)
            default:
                throw TokenizerError(
                    file: file, key: "tokenizer.ggml.token_type[\(id)]", found: "\(type)",
                    expected: "1 to 5, or 6 for a byte as <0x0A>")
            }
        }
        let pieces = try PieceTable(list, writing: .plain, file: file, key: key)
        for (key, id) in [("bos_token_id", vocabulary.beginningOfText), ("eos_token_id", vocabulary.endOfText)] {
            if let id, pieces.kind(of: id) == .absent {
                throw TokenizerError(
                    file: file, key: "tokenizer.ggml." + key, found: "\(id)", expected: "below \(pieces.count)")
            }
        }
        let table = try MergeTable(
            pieces: pieces, writing: .plain, MergeList(joined: vocabulary.merges), file: file,
            key: "tokenizer.ggml.merges")
        let symbols = Symbols(unit: .characters, byteTokens: Symbols.fallbackTokens(pieces), unknown: nil)
        let mark = SentencePieceNormalizer.spaceMark
        self.init(
            file: file, pieces: pieces, model: .bytePair(BytePair(joining: .merges(table), symbols: symbols)),
            normalizer: Normalizer(steps: [.replace([0x20], with: mark)]), preTokenizer: PreTokenizer(),
            decoder: .steps([.replace(mark, with: [0x20]), .byteFallback, .fuse]),
            addedTokens: pieces.marks.map { item in
                AddedToken(id: item.id, text: item.text, isSpecial: pieces.kind(of: item.id) == .special)
            },
            seams: Seams(pieces),
            frame: Frame(
                opening: vocabulary.addsBeginningOfText ?? true ? [vocabulary.beginningOfText].compactMap(\.self) : [],
                closing: []),
            beginningOfText: vocabulary.beginningOfText,
            endOfText: Self.endTokens(pieces).union([vocabulary.endOfText, vocabulary.endOfTurn].compactMap(\.self)))
    }

    /// A vocabulary of BERT. GGUF writes beginnings of words with a ▁ in front, and continuations without their `##`.
    ///
    /// It does not say whether text is in lower case: a vocabulary with no capitals is of a model that has none.
    init(wordPieces vocabulary: Vocabulary) throws(TokenizerError) {
        var hasCapitals = false
        let texts = vocabulary.tokens.texts.enumerated().map { id, text in
            let type = id < vocabulary.types.count ? vocabulary.types[id] : 1
            let isMark =
                text.utf8.first == UInt8(ascii: "[") && text.utf8.last == UInt8(ascii: "]") && text.utf8.count > 2
            if type == 2 || type == 3 || type == 5 || isMark { return text }
            if text.utf8.contains(where: { 0x41...0x5A ~= $0 }) { hasCapitals = true }
            // Not by characters as people see them: a combining mark behind a ▁ would be one with it.
            let isBeginning = text.unicodeScalars.first == "\u{2581}"
            return isBeginning ? String(String.UnicodeScalarView(text.unicodeScalars.dropFirst())) : "##" + text
        }
        try self.init(
            wordPieces: texts, lowercases: !hasCapitals, file: vocabulary.file, key: "tokenizer.ggml.tokens")
    }
}
