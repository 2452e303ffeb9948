import TinyJSON
public import TinyLayers
import TinyLoader

/// How a model's files want texts to become vectors.
///
/// A sentence-transformers folder says it in `modules.json` and what that names, GGUF in `ARCH.pooling_type`. What nothing is
/// said of has a default, and `assumptions` says which.
public struct EmbeddingSettings: Sendable, Equatable {
    /// What becomes the vector.
    public enum Source: Sendable, Equatable {
        /// The states of a text's tokens, pooled; several poolings stand one behind the other.
        case states([Pooling])
        /// The model's own projection of one state.
        case modelsPooler
    }

    public var source: Source
    /// Whether vectors are brought to unit length.
    public var normalizes: Bool
    /// The most tokens of a text, those that the file puts around it included; the rest is cut off. The model's own limit
    /// where nil.
    public var tokenLimit: Int?
    /// Whether texts are cut at their beginning, not at their end.
    public var cutsBeginning = false
    /// Whether texts are brought to lower case before all else.
    public var lowercases = false
    /// Texts that are put in front, by name: "query", "document".
    public var prompts: [String: String] = [:]
    /// The prompt that is used where none is asked for.
    public var defaultPrompt: String?
    /// Whether a prompt's tokens count in means.
    public var includesPrompt = true
    /// What the files do not say and was assumed, in words.
    public internal(set) var assumptions: [String] = []

    init(source: Source, normalizes: Bool) { (self.source, self.normalizes) = (source, normalizes) }

    /// - Throws: `FormatError` where a file is bad, `ModelError` where it asks for what is not supported.
    package init(_ model: Model) throws {
        self.init(source: .states([model.spec.seesAhead ? .mean : .last]), normalizes: true)
        switch model.checkpoint.format {
        case .gguf(let gguf): try read(gguf, model)
        case .folder(let folder, _):
            if FileSystem.kind(of: folder + "/modules.json") != nil {
                try read(modulesOf: folder)
            } else {
                assume(model)
            }
            try readTokenizerSettings(folder)
        }
    }

    /// For one who says what the files do not.
    package mutating func dropAssumptions() { assumptions = [] }

    /// Where no file says how to pool.
    private mutating func assume(_ model: Model) {
        if model.spec.pooler?.unitLength == true {
            source = .modelsPooler  // made to be compared
            return
        }
        assumptions.append(
            model.spec.seesAhead
                ? "the model's files do not say how to pool; the mean of all tokens is taken, as for most encoders"
                : "the model's files do not say how to pool; the last token is taken, as it alone has seen the whole text"
        )
    }

    private mutating func read(_ gguf: GGUF, _ model: Model) throws {
        let key = (try gguf.metadata.string("general.architecture") ?? "") + ".pooling_type"
        switch try gguf.metadata.integer(key) {
        case nil, 0: assume(model)
        case 1: source = .states([.mean])
        case 2: source = .states([.first])
        case 3: source = .states([.last])
        case 4:
            throw ModelError(
                file: gguf.path,
                "\"\(key)\" is 4: the model ranks pairs of texts and makes no vectors, which is not supported")
        case let other?:
            throw ModelError(file: gguf.path, "\"\(key)\" is \(other); 0 to 3 (none, mean, first, last) are supported")
        }
    }
}
