extension Tokenizer {
    /// A tokenizer from a `vocab.txt`: BERT's word pieces, one a line, which is its id.
    ///
    /// - Parameter lowercases: what `tokenizer_config.json` says as `do_lower_case`.
    package init(wordList bytes: [UInt8], lowercases: Bool, file: String) throws(TokenizerError) {
        var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        var texts: [String] = []
        for (index, line) in lines.enumerated() {
            guard let text = String(validating: line.last == 0x0D ? line.dropLast() : line, as: UTF8.self) else {
                throw TokenizerError(
                    file: file, key: "line \(index + 1)", found: "bytes that are not UTF-8", expected: "a piece")
            }
            texts.append(text)
        }
        try self.init(wordPieces: texts, lowercases: lowercases, file: file, key: "line")
    }

    /// - Parameters:
    ///   - texts: by id, continuations with `##` in front.
    ///   - key: how the file names its list of pieces, for errors.
    init(wordPieces texts: [String], lowercases: Bool, file: String, key: String) throws(TokenizerError) {
        let marks = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"]
        var ids: [String: Int] = [:]
        var list = PieceList()
        for (id, text) in texts.enumerated() {
            let isMark = marks.contains { ExactText.equal($0, text) }
            if isMark { ids[text] = id }
            // Empty lines stand for nothing that text could become.
            if text.isEmpty { list.appendNothing() } else { list.append(text.utf8, isMark ? .special : .normal) }
        }
        let pieces = try PieceTable(list, writing: .plain, file: file, key: key)
        func id(_ mark: String) throws(TokenizerError) -> Int {
            guard let id = ids[mark] else {
                throw TokenizerError(file: file, key: key, found: "no \(mark)", expected: "the piece \(mark)")
            }
            return id
        }
        let (unknown, begin, end) = (try id("[UNK]"), try id("[CLS]"), try id("[SEP]"))
        let prefix = Array("##".utf8)
        self.init(
            file: file, pieces: pieces,
            model: .wordPiece(WordPiece(pieces: pieces, unknown: unknown, prefix: prefix, characterLimit: 100)),
            normalizer: Normalizer(
                steps: [.wordPieces(WordPieceNormalizer(stripsAccents: lowercases, lowercases: lowercases))]),
            preTokenizer: PreTokenizer(steps: [.whitespace, .punctuation(together: false)]),
            decoder: .steps([.wordPiece(prefix: prefix, cleansUp: true)]),
            addedTokens: ids.map { AddedToken(id: $0.value, text: $0.key, isSpecial: true) },
            frame: Frame(opening: [begin], separator: [end], doubled: false), beginningOfText: begin,
            endOfText: [end])
    }
}
