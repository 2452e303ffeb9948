package import TinyJSON

/// The vocabulary inside a GGUF file, as its arrays and keys give it.
package struct Vocabulary: Sendable {
    package var file: String
    /// `tokenizer.ggml.model`
    package var model: String
    /// `tokenizer.ggml.pre`
    package var preTokenizer: String?
    package var tokens: TextList
    /// Of each token: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. Empty if the file has none.
    package var types: [Int]
    /// `"a b"`, earliest first.
    package var merges: TextList
    package var beginningOfText: Int?
    package var endOfText: Int?
    package var endOfTurn: Int?
    /// `tokenizer.ggml.add_bos_token`; nil leaves it to the pre-tokenizer, as llama.cpp does.
    package var addsBeginningOfText: Bool?
    /// `tokenizer.ggml.add_space_prefix`
    package var addsSpacePrefix: Bool?
    /// `tokenizer.ggml.scores`, one for each token; empty if the file has none.
    package var scores: [Float] = []
    /// `tokenizer.ggml.add_eos_token`
    package var addsEndOfText: Bool?
    /// `tokenizer.ggml.remove_extra_whitespaces`
    package var removesExtraSpaces: Bool?
    /// `tokenizer.ggml.precompiled_charsmap`
    package var characterMap: [UInt8] = []

    package init(
        file: String, model: String, preTokenizer: String?, tokens: TextList, types: [Int], merges: TextList,
        beginningOfText: Int? = nil, endOfText: Int? = nil, endOfTurn: Int? = nil, addsBeginningOfText: Bool? = nil,
        addsSpacePrefix: Bool? = nil
    ) {
        self.file = file
        self.model = model
        self.preTokenizer = preTokenizer
        self.tokens = tokens
        self.types = types
        self.merges = merges
        self.beginningOfText = beginningOfText
        self.endOfText = endOfText
        self.endOfTurn = endOfTurn
        self.addsBeginningOfText = addsBeginningOfText
        self.addsSpacePrefix = addsSpacePrefix
    }
}

extension Tokenizer {
    /// A tokenizer from the vocabulary inside a GGUF file.
    package init(vocabulary: Vocabulary) throws(TokenizerError) {
        let file = vocabulary.file
        func error(_ key: String, _ found: String, _ expected: String) -> TokenizerError {
            TokenizerError(file: file, key: "tokenizer.ggml." + key, found: found, expected: expected)
        }
        switch vocabulary.model {
        case "gpt2": break
        case "llama", "t5":
            try self.init(sentencePiece: vocabulary, isBytePair: vocabulary.model == "llama")
            return
        case "bert":
            try self.init(wordPieces: vocabulary)
            return
        case "gemma4":
            try self.init(markedPairs: vocabulary)
            return
        case let model:
            throw error(
                "model", quoted(model),
                "\"gpt2\" (byte-level BPE), \"llama\" (SentencePiece BPE), \"t5\" (unigram), "
                    + "\"gemma4\" (BPE with marks for spaces) or \"bert\" (WordPiece); others are not supported")
        }
        let name = vocabulary.preTokenizer
        guard let named = NamedPreTokenizer(name ?? "gpt-2") else {
            throw error(
                "pre", quoted(name ?? ""),
                "one that is supported, such as \"gpt-2\", \"llama-bpe\", \"qwen2\", \"smollm\"")
        }
        if vocabulary.addsSpacePrefix == true { throw error("add_space_prefix", "true", "false for byte-level BPE") }

        let list = try vocabulary.list()
        let pieces = try PieceTable(list, file: file, key: "tokenizer.ggml.tokens")
        if name == nil, let id = pieces.firstCut(by: named.preTokenizer) {
            throw error(
                "pre",
                "no pre-tokenizer named, and pieces such as \(quoted(vocabulary.tokens[id])), which that of "
                    + "\"gpt-2\" would have cut",
                "the name of the pre-tokenizer")
        }
        let table = try MergeTable(
            pieces: pieces, writing: .byteAlphabet, MergeList(joined: vocabulary.merges), file: file,
            key: "tokenizer.ggml.merges")
        let bytePair = BytePair(
            joining: .merges(table),
            symbols: try Symbols(bytesOf: pieces, unknown: nil, file: file, key: "tokenizer.ggml.tokens"),
            takesWholeWords: named.takesWholeWords)

        let ids = [
            ("bos_token_id", vocabulary.beginningOfText), ("eos_token_id", vocabulary.endOfText),
            ("eot_token_id", vocabulary.endOfTurn),
        ]
        for (key, id) in ids {
            if let id, !(0..<list.count ~= id) { throw error(key, "\(id)", "below \(list.count)") }
        }
        var opening: [Int] = []
        if vocabulary.addsBeginningOfText ?? (named.addsBeginningOfText || named.framesWholeText) {
            guard let id = vocabulary.beginningOfText else {
                throw error("bos_token_id", "nothing", "an id, since the file wants it in front of every text")
            }
            opening = [id]
        }
        var closing: [Int] = []
        if vocabulary.addsEndOfText ?? named.framesWholeText {
            guard let id = vocabulary.endOfText else {
                throw error("eos_token_id", "nothing", "an id, since the file wants it behind every text")
            }
            closing = [id]
        }
        self.init(
            file: file, pieces: pieces, model: .bytePair(bytePair), normalizer: named.normalizer,
            preTokenizer: named.preTokenizer, decoder: .bytes,
            addedTokens: pieces.marks.map { mark in
                AddedToken(id: mark.id, text: mark.text, isSpecial: pieces.kind(of: mark.id) == .special)
            },
            frame: Frame(opening: opening, closing: closing), beginningOfText: vocabulary.beginningOfText,
            endOfText: Self.endTokens(pieces).union([vocabulary.endOfText, vocabulary.endOfTurn].compactMap(\.self)))
    }
}

extension Vocabulary {
    fileprivate func list() throws(TokenizerError) -> PieceList {
        guard types.isEmpty || types.count == tokens.count else {
            throw TokenizerError(
                file: file, key: "tokenizer.ggml.token_type", found: "\(types.count) types",
                expected: "\(tokens.count), one for each token")
        }
        var list = PieceList(tokens)
        for (id, type) in types.enumerated() {
            let kind: PieceTable.Kind
            switch type {
            case 1: kind = .normal
            case 2, 3: kind = .special
            case 4: kind = .added
            case 5: kind = .unused
            case let type:
                throw TokenizerError(
                    file: file, key: "tokenizer.ggml.token_type[\(id)]", found: "\(type)",
                    expected: "1 to 5 in a byte-level vocabulary")
            }
            if kind != .normal { list.setKind(id, kind) }
        }
        return list
    }
}

extension PieceTable {
    /// The first of the pieces that a pre-tokenizer would have cut, if these are more than a few.
    ///
    /// Files from before there was a name for the pre-tokenizer leave it to be guessed, and their pieces bear witness:
    /// those that were learned behind another pattern are no words of this one. Beginnings of contractions are, too.
    fileprivate func firstCut(by preTokenizer: PreTokenizer) -> Int? {
        var first: Int?
        var count = 0
        for id in 0..<self.count where kind(of: id) == .normal {
            guard let bytes = bytes(of: id).map(Array.init), String(validating: bytes, as: UTF8.self) != nil else {
                continue
            }
            var cursor = CutCursor(preTokenizer.before, over: 0..<bytes.count)
            guard let word = cursor.next(bytes.span, .shared), word.count < bytes.count else { continue }
            first = first ?? id
            count += 1
        }
        return count * 1000 > self.count ? first : nil
    }
}
