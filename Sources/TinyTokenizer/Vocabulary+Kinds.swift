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
        model.pieces = tokens.indices.map { id in
            .init(text: tokens[id], score: vocabulary.scores[id], type: vocabulary.types[id])
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

    /// A vocabulary of BERT. GGUF writes beginnings of words with a ▁ in front, and continuations without their `##`.
    ///
    /// It does not say whether text is in lower case: a vocabulary with no capitals is of a model that has none.
    init(wordPieces vocabulary: Vocabulary) throws(TokenizerError) {
        var hasCapitals = false
        let texts = vocabulary.tokens.enumerated().map { id, text in
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
