import TinyJSON
import TinyLoader
import TinyTokenizer

// A folder's tokenizer in GGUF's keys. Whether they say the same is tried: both must cut a text alike.
extension SourceFolder {
    /// - Parameter vocabulary: rows of the token table; ids without a token are filled up.
    func tokenizerEntries(
        _ recipe: Recipe, vocabulary count: Int, warnings: inout [String]
    ) throws -> [GGUFEntry] {
        var entries: [GGUFEntry] = []
        let templates = try ChatTemplateFiles(checkpoint).templates
        let named = templates.filter { $0.name != "default" }
        if !named.isEmpty { entries.append(.strings("tokenizer.chat_templates", named.map(\.name))) }
        for template in templates {
            let key = "tokenizer.chat_template" + (template.name == "default" ? "" : "." + template.name)
            entries.append(.string(key, template.source))
        }
        let none = [GGUFEntry.string("tokenizer.ggml.model", "no_vocab")]
        guard let tokenizer = try? recipe.tokenizer() else {
            warnings.append("there is no tokenizer that could be read, and the file holds none")
            return entries + none
        }
        let begin = recipe.beginningOfText, end = recipe.endOfText.first
        let plain = tokenizer.encode("a"), framed = tokenizer.encodePrompt("a")
        let addsBegin = framed.count > plain.count && framed.first != plain.first && framed.first == begin
        let addsEnd = framed.count > plain.count && framed.last != plain.last && framed.last == end
        for var vocabulary in try candidates(count) {
            vocabulary.beginningOfText = begin
            vocabulary.endOfText = end
            vocabulary.addsBeginningOfText = addsBegin
            vocabulary.addsEndOfText = addsEnd
            guard let read = try? Tokenizer(vocabulary: vocabulary), read.cutsAlike(tokenizer) else { continue }
            return entries + vocabulary.entries
        }
        warnings.append(
            "GGUF has no name for the way this tokenizer cuts texts: llama.cpp can run the file on token ids only; "
                + (try text("tokenizer.json") == nil
                    ? "nor is there a tokenizer.json to keep" : "tinygpt reads the tokenizer.json in it"))
        return entries + none
    }

    /// Vocabularies as GGUF has them, one of which may be right.
    private func candidates(_ count: Int) throws -> [Vocabulary] {
        guard let file = try json("tokenizer.json"), let model = file["model"]?.object else { return [] }
        var pieces = [String?](repeating: nil, count: count)
        var types = [Int](repeating: 5, count: count)
        var scores = [Float](repeating: -10_000, count: count)
        func put(_ text: String, _ id: Int, _ type: Int, _ score: Float) {
            guard pieces.indices ~= id else { return }
            (pieces[id], types[id], scores[id]) = (text, type, score)
        }
        if let vocabulary = model["vocab"]?.object {
            for (text, id) in zip(vocabulary.keys, vocabulary.values) {
                if let id = id.integer { put(text, id, 1, -Float(id)) }
            }
        } else {
            for (id, piece) in (model["vocab"]?.array ?? []).enumerated() {
                if let pair = piece.array, pair.count == 2, let text = pair[0].string, let score = pair[1].double {
                    put(text, id, 1, Float(score))
                }
            }
        }
        for token in file["added_tokens"]?.array ?? [] {
            guard let token = token.object, let text = token["content"]?.string, let id = token["id"]?.integer else {
                continue
            }
            put(
                text, id, token["special"]?.bool ?? false ? 3 : 4,
                pieces.indices ~= id ? max(scores[id], -Float(id)) : 0)
        }
        let tokens = pieces.enumerated().map { $1 ?? "[PAD\($0)]" }
        let unknown = model["unk_token"]?.string
        func vocabulary(_ model: String, _ pre: String?, tokens: [String], types: [Int]) -> Vocabulary {
            Vocabulary(
                file: checkpoint.path, model: model, preTokenizer: pre, tokens: TextList(tokens), types: types,
                merges: [])
        }
        switch model["type"]?.string ?? (model["merges"] == nil ? "WordPiece" : "BPE") {
        case "BPE" where model["byte_fallback"]?.bool == true:
            let types = types.indices.map { id -> Int in
                if tokens[id] == unknown { return 2 }
                let isByte = tokens[id].utf8.count == 6 && tokens[id].hasPrefix("<0x") && tokens[id].hasSuffix(">")
                return isByte && types[id] == 1 ? 6 : types[id]
            }
            return [true, false].map { addsSpace in
                var result = vocabulary("llama", "default", tokens: tokens, types: types)
                result.scores = scores
                result.addsSpacePrefix = addsSpace
                return result
            }
        case "BPE":
            let merges = (model["merges"]?.array ?? []).compactMap { merge in
                merge.string ?? merge.array.map { $0.compactMap(\.string).joined(separator: " ") }
            }
            return NamedPreTokenizer.usual.map { name in
                var result = vocabulary("gpt2", name, tokens: tokens, types: types)
                result.merges = TextList(merges)
                return result
            }
        case "WordPiece":
            let prefix = model["continuing_subword_prefix"]?.string ?? "##"
            let words = tokens.indices.map { id -> String in
                if types[id] != 1 { return tokens[id] }
                return tokens[id].hasPrefix(prefix)
                    ? String(tokens[id].unicodeScalars.dropFirst(prefix.unicodeScalars.count)) : "\u{2581}" + tokens[id]
            }
            return [vocabulary("bert", "default", tokens: words, types: types)]
        case "Unigram":
            var result = vocabulary("t5", "default", tokens: tokens, types: types)
            result.scores = scores
            return [result]
        default: return []
        }
    }
}

extension Vocabulary {
    var entries: [GGUFEntry] {
        var entries: [GGUFEntry] = [.string("tokenizer.ggml.model", model)]
        func add(_ key: String, _ value: Int?) {
            if let value { entries.append(.integer("tokenizer.ggml." + key, value)) }
        }
        func add(_ key: String, _ value: Bool?) {
            if let value { entries.append(.bool("tokenizer.ggml." + key, value)) }
        }
        if let preTokenizer { entries.append(.string("tokenizer.ggml.pre", preTokenizer)) }
        entries.append(.strings("tokenizer.ggml.tokens", tokens.texts))
        if !scores.isEmpty { entries.append(.numbers("tokenizer.ggml.scores", scores)) }
        entries.append(.integers("tokenizer.ggml.token_type", types))
        if !merges.isEmpty { entries.append(.strings("tokenizer.ggml.merges", merges.texts)) }
        add("bos_token_id", beginningOfText)
        add("eos_token_id", endOfText)
        add("add_bos_token", addsBeginningOfText)
        add("add_eos_token", addsEndOfText)
        add("add_space_prefix", addsSpacePrefix)
        return entries
    }
}

extension Tokenizer {
    /// Whether another tokenizer makes the same of a text that has what they differ in.
    fileprivate func cutsAlike(_ other: Tokenizer) -> Bool {
        let text = """
            Hello, World!  It's 3.14159, I'LL pay $1,234,567.89 for naïve café crème — “quoted”…
            \tdef f(x):\r\n    return x**2 + 10000000   # comment\n\n\n  \t  end
            日本語のテキスト、中文文本。Ελληνικά ٣٤٥ हिन्दी 한국어 🚀👩‍👩‍👧 ½ ² ﬁ e\u{301} \u{00A0}x
            camelCase HTTPServer snake_case URL: https://example.org/a?b=c&d#e ''' "" '' 's 'S
            """
        return text.split(separator: "\n", omittingEmptySubsequences: false).allSatisfy {
            encode(String($0)) == other.encode(String($0))
        } && encode(text) == other.encode(text)
    }
}
