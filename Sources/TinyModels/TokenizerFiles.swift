import TinyJSON
package import TinyLoader
public import TinyTokenizer

// Finding a tokenizer in a model's files.

extension Tokenizer {
    /// The tokenizer of whatever is at a path: a GGUF file (a vocabulary without weights will do), a `tokenizer.json` or
    /// another tokenizer's file, a folder or a weights file with one beside it.
    public init(at path: String) throws {
        switch FileSystem.kind(of: path) {
        case .folder:
            let ggufs = FileSystem.names(in: path).filter { $0.hasSuffix(".gguf") }
            if TokenizerSource(folder: path) == nil && ggufs.count == 1 {
                try self.init(at: path + "/" + ggufs[0])
            } else {
                try self.init(folder: path)
            }
        case .file:
            if let source = TokenizerSource(file: path) {
                try self.init(source, folder: path.parentFolder)
                return
            }
            let file = try MappedFile(path: path)
            if GGUF.recognizes(file.bytes) {
                try self.init(gguf: GGUF(file: file))
            } else {
                try self.init(folder: path.parentFolder)
            }
        default: throw FormatError(.unreadable, file: path, FileSystem.lastError)
        }
    }

    package init(folder: String) throws {
        guard let source = TokenizerSource(folder: folder) else {
            throw FormatError(
                .missing, file: folder + "/tokenizer.json",
                "is needed for text, and is not there; nor is a tokenizer.model, a vocab.txt or a file of ranks "
                    + "(*.tiktoken)")
        }
        try self.init(source, folder: folder)
    }

    private init(_ source: TokenizerSource, folder: String) throws {
        let limit = 256 << 20
        switch source {
        case .json(let path):
            guard let object = try Checkpoint.json(path, limit: limit, tables: Tokenizer.tokenizerFileTables) else {
                throw FormatError(.missing, file: path, "is not there")
            }
            try self.init(tokenizerFile: .object(object), file: path)
        case .wordList(let path):
            let settings = try TokenizerSettings(folder: folder)
            try self.init(
                wordList: try FileSystem.read(path, limit: limit), lowercases: settings.lowercases, file: path)
        case .model(let path), .ranks(let path):
            let bytes = try FileSystem.read(path, limit: limit)
            if RankFile.recognizes(bytes) {
                let name = path.split(separator: "/").last.map(String.init) ?? path
                guard let convention = RankConvention(fileName: name) else {
                    throw FormatError(
                        .unknownFormat, file: path, "is a file of ranks whose pattern and special tokens are not known")
                }
                try self.init(ranks: RankFile(bytes, file: path), convention: convention)
            } else {
                let settings = try TokenizerSettings(folder: folder)
                try self.init(
                    sentencePiece: SentencePieceVocabulary(modelFile: bytes, file: path), added: settings.added,
                    addsBeginning: settings.addsBeginning, addsEnd: settings.addsEnd)
            }
        }
    }

    package init(gguf: GGUF) throws {
        let metadata = gguf.metadata
        if metadata["tokenizer.ggml.tokens"] == nil, let json = try metadata.string("tokenizer.huggingface.json") {
            let value: JSON
            do { value = try JSON(parsing: Array(json.utf8)) } catch {
                throw FormatError(.malformed, file: gguf.path, name: "tokenizer.huggingface.json", "is \(error)")
            }
            try self.init(tokenizerFile: value, file: gguf.path)
            return
        }
        guard let model = try metadata.string("tokenizer.ggml.model"),
            let tokens = try metadata.texts("tokenizer.ggml.tokens")
        else {
            throw FormatError(.missing, file: gguf.path, name: "tokenizer.ggml.tokens", "the file holds no vocabulary")
        }
        var vocabulary = Vocabulary(
            file: gguf.path, model: model, preTokenizer: try metadata.string("tokenizer.ggml.pre"), tokens: tokens,
            types: try metadata.integers("tokenizer.ggml.token_type") ?? [],
            merges: try metadata.texts("tokenizer.ggml.merges") ?? TextList(),
            beginningOfText: try metadata.integer("tokenizer.ggml.bos_token_id"),
            endOfText: try metadata.integer("tokenizer.ggml.eos_token_id"),
            endOfTurn: try metadata.integer("tokenizer.ggml.eot_token_id"),
            addsBeginningOfText: try metadata.bool("tokenizer.ggml.add_bos_token"),
            addsSpacePrefix: try metadata.bool("tokenizer.ggml.add_space_prefix"))
        vocabulary.scores = try metadata.numbers("tokenizer.ggml.scores") ?? []
        vocabulary.addsEndOfText = try metadata.bool("tokenizer.ggml.add_eos_token")
        vocabulary.removesExtraSpaces = try metadata.bool("tokenizer.ggml.remove_extra_whitespaces")
        // Some writers call these bytes signed.
        vocabulary.characterMap = (try metadata.integers("tokenizer.ggml.precompiled_charsmap") ?? [])
            .map { UInt8(truncatingIfNeeded: $0) }
        try self.init(vocabulary: vocabulary)
    }
}

/// The file that a tokenizer is read from.
enum TokenizerSource {
    case json(String)
    /// SentencePiece's own file; in some folders a file of ranks has its name.
    case model(String)
    case wordList(String)
    case ranks(String)

    /// The first there is: a `tokenizer.json` says most.
    init?(folder: String) {
        let names = FileSystem.names(in: folder)
        for name in ["tokenizer.json", "tokenizer.model", "spiece.model", "vocab.txt"] where names.contains(name) {
            self.init(file: folder + "/" + name)
            return
        }
        let ranks = names.filter { $0.hasSuffix(".tiktoken") }
        if ranks.count == 1 {
            self = .ranks(folder + "/" + ranks[0])
        } else if FileSystem.kind(of: folder + "/vocab") == .folder {
            // One family keeps its file a folder deeper.
            self.init(folder: folder + "/vocab")
        } else {
            return nil
        }
    }

    init?(file path: String) {
        if path.hasSuffix(".json") {
            self = .json(path)
        } else if path.hasSuffix(".model") {
            self = .model(path)
        } else if path.hasSuffix(".txt") {
            self = .wordList(path)
        } else if path.hasSuffix(".tiktoken") {
            self = .ranks(path)
        } else {
            return nil
        }
    }
}

/// What stands beside a tokenizer's file: `tokenizer_config.json` and `added_tokens.json`.
struct TokenizerSettings {
    var lowercases = true
    var addsBeginning = true
    var addsEnd = false
    var added: [AddedToken] = []

    init(folder: String) throws {
        if let config = try Checkpoint.json(folder + "/tokenizer_config.json", limit: 16 << 20) {
            lowercases = config["do_lower_case"]?.bool ?? true
            addsBeginning = config["add_bos_token"]?.bool ?? true
            addsEnd = config["add_eos_token"]?.bool ?? false
            let tokens = config["added_tokens_decoder"]?.object
            for (key, value) in zip(tokens?.keys ?? [], tokens?.values ?? []) {
                guard let id = Int(key), let token = value.object, let text = token["content"]?.string, !text.isEmpty
                else {
                    throw FormatError(
                        .malformed, file: folder + "/tokenizer_config.json", name: "added_tokens_decoder.\(key)",
                        "is not a token with its content")
                }
                added.append(
                    AddedToken(
                        id: id, text: text, isSpecial: token["special"]?.bool ?? false,
                        stripsLeft: token["lstrip"]?.bool ?? false, stripsRight: token["rstrip"]?.bool ?? false,
                        isSingleWord: token["single_word"]?.bool ?? false))
            }
        }
        if added.isEmpty, let tokens = try Checkpoint.json(folder + "/added_tokens.json", limit: 16 << 20) {
            for (text, value) in zip(tokens.keys, tokens.values) where !text.isEmpty {
                guard let id = value.integer else {
                    throw FormatError(
                        .malformed, file: folder + "/added_tokens.json", name: text, "is \(value.kind), not an id")
                }
                added.append(AddedToken(id: id, text: text, isSpecial: true))
            }
        }
    }
}
