import TinyJSON
import TinyLoader
import TinyTokenizer

/// What a GGUF file keeps of the folder it was made from, so that the way back gives the same folder.
///
/// `tinygpt.source.NAME` is a small file as it was; `tokenizer.huggingface.json`, GGUF's own key, the tokenizer's;
/// `tinygpt.source.tensors` the folder's tensors, each with its type in front; `tinygpt.exact.NAME` the numbers of a vector
/// that cannot be computed back from GGUF's.
struct SourceFolder {
    static let prefix = "tinygpt.source."
    static let exactPrefix = "tinygpt.exact."
    static let tensorsKey = "tinygpt.source.tensors"
    static let tokenizerKey = "tokenizer.huggingface.json"
    /// Texts that are kept; a folder has some of them.
    static let files = [
        "config.json", "generation_config.json", "tokenizer_config.json", "special_tokens_map.json",
        "added_tokens.json",
        "chat_template.jinja", "vocab.txt",
    ]

    let checkpoint: Checkpoint
    private let folder: String

    init(_ checkpoint: Checkpoint) {
        self.checkpoint = checkpoint
        if case .folder(let folder, _) = checkpoint.format { self.folder = folder } else { folder = "." }
    }

    /// What the model is called: as its folder is.
    var name: String {
        let last = folder.lastComponent
        return last == "." || last == ".." ? "model" : last
    }

    func entries(tensors: TensorIndex, inexact: [(name: String, values: [Float])]) throws -> [GGUFEntry] {
        var entries: [GGUFEntry] = []
        for name in Self.files {
            if let text = try text(name) { entries.append(.string(Self.prefix + name, text)) }
        }
        if let text = try text("tokenizer.json") { entries.append(.string(Self.tokenizerKey, text)) }
        entries.append(.strings(Self.tensorsKey, tensors.tensors.map { $0.content.name + " " + $0.name }))
        entries += inexact.map { .numbers(Self.exactPrefix + $0.name, $0.values) }
        return entries
    }

    /// The text of a file in the folder; nil if there is none, or if it is no text.
    func text(_ name: String) throws -> String? {
        let path = folder + "/" + name
        guard FileSystem.kind(of: path) == .file else { return nil }
        return String(validating: try FileSystem.read(path, limit: 256 << 20), as: UTF8.self)
    }

    func json(_ name: String) throws -> JSONObject? { try Checkpoint.json(folder + "/" + name, limit: 256 << 20) }
}
