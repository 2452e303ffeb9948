/// The vocabulary inside a GGUF file, as its arrays and keys give it.
package struct Vocabulary: Sendable {
    package var file: String
    /// `tokenizer.ggml.model`
    package var model: String
    /// `tokenizer.ggml.pre`
    package var preTokenizer: String?
    package var tokens: [String]
    /// Of each token: 1 normal, 2 unknown, 3 control, 4 user defined, 5 unused, 6 byte. Empty if the file has none.
    package var types: [Int]
    /// `"a b"`, earliest first.
    package var merges: [String]
    package var beginningOfText: Int?
    package var endOfText: Int?
    package var endOfTurn: Int?
    /// `tokenizer.ggml.add_bos_token`; nil leaves it to the pre-tokenizer, as llama.cpp does.
    package var addsBeginningOfText: Bool?
    /// `tokenizer.ggml.add_space_prefix`
    package var addsSpacePrefix: Bool?

    package init(
        file: String, model: String, preTokenizer: String?, tokens: [String], types: [Int], merges: [String],
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

/// What the name of a pre-tokenizer in a GGUF file stands for. The file holds the name only.
struct NamedPreTokenizer: Sendable {
    var preTokenizer: PreTokenizer
    var normalizer = Normalizer.none
    var takesWholeWords = false
    var addsBeginningOfText = false

    /// The names are those of llama.cpp's `llama-vocab.cpp`; each stands for what the models' own `tokenizer.json` say.
    init?(_ name: String) {
        switch name {
        case "gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum",
            "modern-bert", "exaone4":
            preTokenizer = PreTokenizer(steps: [.pattern(.classic)])
        case "llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano":
            preTokenizer = PreTokenizer(steps: [.pattern(.modern(digits: 3))])
            takesWholeWords = true
            addsBeginningOfText = true
        case "qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez":
            preTokenizer = PreTokenizer(steps: [.pattern(.modern(digits: 1))])
            // llama.cpp leaves it out, but the model was trained behind it.
            if name == "qwen2" { normalizer = .canonicalComposition }
        case "smollm", "starcoder", "refact":
            preTokenizer = PreTokenizer(steps: [.digits(individually: true), .pattern(.classic)])
        default:
            return nil
        }
    }
}

extension Tokenizer {
    /// A tokenizer from the vocabulary inside a GGUF file.
    package init(vocabulary: Vocabulary) throws(TokenizerError) {
        let file = vocabulary.file
        func error(_ key: String, _ found: String, _ expected: String) -> TokenizerError {
            TokenizerError(file: file, key: "tokenizer.ggml." + key, found: found, expected: expected)
        }
        guard vocabulary.model == "gpt2" else {
            throw error("model", quoted(vocabulary.model), "\"gpt2\" (byte-level BPE); others are not supported")
        }
        guard let name = vocabulary.preTokenizer else {
            throw error("pre", "no pre-tokenizer named", "one that is supported, such as \"gpt-2\" or \"llama-bpe\"")
        }
        guard let named = NamedPreTokenizer(name) else {
            throw error(
                "pre", quoted(name), "one that is supported, such as \"gpt-2\", \"llama-bpe\", \"qwen2\", \"smollm\"")
        }
        if vocabulary.addsSpacePrefix == true { throw error("add_space_prefix", "true", "false for byte-level BPE") }

        let entries = try vocabulary.entries()
        let pieces = try PieceTable(entries, file: file, key: "tokenizer.ggml.tokens")
        let bytePair = try BytePair(
            pieces: pieces, mergeCount: vocabulary.merges.count, takesWholeWords: named.takesWholeWords, unknown: nil,
            file: file, piecesKey: "tokenizer.ggml.tokens", key: "tokenizer.ggml.merges"
        ) { rank throws(TokenizerError) in .joined(vocabulary.merges[rank]) }

        let ids = [
            ("bos_token_id", vocabulary.beginningOfText), ("eos_token_id", vocabulary.endOfText),
            ("eot_token_id", vocabulary.endOfTurn),
        ]
        for (key, id) in ids {
            if let id, !(0..<entries.count ~= id) { throw error(key, "\(id)", "below \(entries.count)") }
        }
        var opening: [Int] = []
        if vocabulary.addsBeginningOfText ?? named.addsBeginningOfText {
            guard let id = vocabulary.beginningOfText else {
                throw error("bos_token_id", "nothing", "an id, since the file wants it in front of every text")
            }
            opening = [id]
        }
        self.init(
            file: file, pieces: pieces, model: .bytePair(bytePair), normalizer: named.normalizer,
            preTokenizer: named.preTokenizer,
            addedTokens: pieces.marks.map { mark in
                AddedToken(id: mark.id, text: mark.text, isSpecial: pieces.kind(of: mark.id) == .special)
            },
            opening: opening, closing: [], beginningOfText: vocabulary.beginningOfText,
            endOfText: Self.endTokens(pieces).union([vocabulary.endOfText, vocabulary.endOfTurn].compactMap(\.self)))
    }
}

extension Vocabulary {
    fileprivate func entries() throws(TokenizerError) -> [PieceTable.Entry?] {
        guard types.isEmpty || types.count == tokens.count else {
            throw TokenizerError(
                file: file, key: "tokenizer.ggml.token_type", found: "\(types.count) types",
                expected: "\(tokens.count), one for each token")
        }
        var entries: [PieceTable.Entry?] = []
        entries.reserveCapacity(tokens.count)
        for (id, text) in tokens.enumerated() {
            let kind: PieceTable.Kind
            switch types.isEmpty ? 1 : types[id] {
            case 1: kind = .normal
            case 2, 3: kind = .special
            case 4: kind = .added
            case 5: kind = .unused
            case let type:
                throw TokenizerError(
                    file: file, key: "tokenizer.ggml.token_type[\(id)]", found: "\(type)",
                    expected: "1 to 5 in a byte-level vocabulary")
            }
            entries.append(PieceTable.Entry(text: text, kind: kind))
        }
        return entries
    }
}
