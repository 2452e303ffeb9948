import TinyJSON
package import TinyLoader
public import TinyTokenizer

// Finding a tokenizer in a model's files.

extension Tokenizer {
    /// The tokenizer of whatever is at a path: a GGUF file (a vocabulary without weights will do), a `tokenizer.json`, a
    /// folder or a weights file with one beside it.
    public init(at path: String) throws {
        switch FileSystem.kind(of: path) {
        case .folder:
            let ggufs = FileSystem.names(in: path).filter { $0.hasSuffix(".gguf") }
            if FileSystem.kind(of: path + "/tokenizer.json") == nil && ggufs.count == 1 {
                try self.init(at: path + "/" + ggufs[0])
            } else {
                try self.init(folder: path)
            }
        case .file where path.hasSuffix(".json"):
            try self.init(json: path)
        case .file:
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
        let path = folder + "/tokenizer.json"
        guard FileSystem.kind(of: path) != nil else {
            throw FormatError(
                .missing, file: path,
                "is needed for text, and is not there; other kinds of tokenizer files are not supported")
        }
        try self.init(json: path)
    }

    private init(json path: String) throws {
        guard let object = try Checkpoint.json(path, limit: 256 << 20) else {
            throw FormatError(.missing, file: path, "is not there")
        }
        try self.init(tokenizerFile: .object(object), file: path)
    }

    package init(gguf: GGUF) throws {
        let metadata = gguf.metadata
        guard let model = try metadata.string("tokenizer.ggml.model"),
            let tokens = try metadata.strings("tokenizer.ggml.tokens")
        else {
            throw FormatError(.missing, file: gguf.path, name: "tokenizer.ggml.tokens", "the file holds no vocabulary")
        }
        try self.init(
            vocabulary: Vocabulary(
                file: gguf.path, model: model, preTokenizer: try metadata.string("tokenizer.ggml.pre"), tokens: tokens,
                types: try metadata.integers("tokenizer.ggml.token_type") ?? [],
                merges: try metadata.strings("tokenizer.ggml.merges") ?? [],
                beginningOfText: try metadata.integer("tokenizer.ggml.bos_token_id"),
                endOfText: try metadata.integer("tokenizer.ggml.eos_token_id"),
                endOfTurn: try metadata.integer("tokenizer.ggml.eot_token_id"),
                addsBeginningOfText: try metadata.bool("tokenizer.ggml.add_bos_token"),
                addsSpacePrefix: try metadata.bool("tokenizer.ggml.add_space_prefix")))
    }
}
