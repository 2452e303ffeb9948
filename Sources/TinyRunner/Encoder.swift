public import TinyLayers
public import TinyModels
import TinyTensor
import TinyTokenizer

/// Makes vectors of texts, which lie near each other where the texts mean alike: for search, clusters, duplicates.
///
/// ```swift
/// let encoder = try Encoder(Model(at: "weights/all-MiniLM-L6-v2"))
/// let vectors = try encoder.embeddings(of: ["A cat sat down.", "一只猫坐下了。"])
/// ```
///
/// How the tokens' states become one vector is what the model's files say; see `EmbeddingSettings`. Encoders and models that
/// continue texts both do. Any number of tasks may use one at the same time.
///
/// Texts are read several at a time, their tokens end to end with none between them to fill up, and each attends to itself
/// alone: a text's vector is the same to the bit alone and in any company.
public struct Encoder: Sendable {
    public let model: Model
    /// What the model's files say, with the changes asked for.
    public let settings: EmbeddingSettings
    /// The most tokens of a text, those that the model wants around it included.
    public let tokenLimit: Int
    let tokenizer: Tokenizer

    /// - Parameters:
    ///   - pooling: how states are pooled, whatever the files say.
    ///   - normalizes: whether vectors are brought to unit length, whatever the files say.
    /// - Throws: where the model's files hold no tokenizer, ask for what is not supported, or say that the model makes no
    ///   vectors.
    public init(_ model: Model, pooling: Pooling? = nil, normalizes: Bool? = nil) throws {
        var settings = try EmbeddingSettings(model)
        if let pooling {
            settings.source = .states([pooling])
            settings.dropAssumptions()
        }
        if let normalizes { settings.normalizes = normalizes }
        tokenizer = try model.tokenizer
        let limits = [settings.tokenLimit, model.spec.positionRows, model.contextLimit]
        let limit = limits.compactMap(\.self).min() ?? .max
        let around = tokenizer.opening.count + tokenizer.closing.count
        guard limit > around else {
            throw EncoderError.noRoom(model: model.path, limit: limit, around: around)
        }
        self.model = model
        self.settings = settings
        tokenLimit = limit
    }

    /// Elements of a vector.
    public var width: Int {
        switch settings.source {
        case .states(let poolings): poolings.count * model.spec.width
        case .modelsPooler: model.spec.pooler?.width ?? model.spec.width
        }
    }

    /// Vectors for texts, in their order.
    ///
    /// - Parameter prompt: the name of what the model's files want in front of texts of a kind: "query", "document"; their
    ///   default where nil.
    /// - Throws: `EncoderError` where the files know no such prompt, a text has no tokens at all, or a vector is none.
    public func embeddings(of texts: [String], prompt: String? = nil) throws -> [[Float]] {
        try encode(texts, prompt: prompt).vectors
    }

    /// Vectors for texts, and what came of each text.
    ///
    /// - Parameters:
    ///   - prompt: as in `embeddings(of:prompt:)`.
    ///   - promptText: what to put in front of every text, instead of one of the model's prompts.
    ///   - onProgress: told after every pass what part of the tokens is done, from 0 to 1.
    public func encode(
        _ texts: [String], prompt: String? = nil, promptText: String? = nil, onProgress: ((Double) -> Void)? = nil
    ) throws -> Embeddings {
        let framed = try frame(texts, promptNamed: prompt, promptText)
        var result = Embeddings(framed.texts)
        let batches = Batches(result.tokenCounts, packs: model.spec.prefix == 0)
        var reader = TextReader(self, batches, skipped: framed.skipped)
        let total = result.tokenCounts.reduce(0, +)
        var done = 0
        for batch in batches.batches {
            for (index, vector) in zip(batch, reader.read(batch.map { framed.texts[$0] })) {
                result.vectors[index] = try finished(vector, text: index)
            }
            done += batch.reduce(0) { $0 + result.tokenCounts[$1] }
            onProgress?(Double(done) / Double(total))
        }
        return result
    }

    /// Brings a vector to unit length, where that is wanted.
    private func finished(_ vector: [Float], text: Int) throws(EncoderError) -> [Float] {
        let squares = vector.reduce(0.0) { $0 + Double($1) * Double($1) }
        guard squares.isFinite else { throw .notANumber(text: text) }
        guard settings.normalizes else { return vector }
        let factor = 1 / max(squares.squareRoot(), 1e-12)  // as the reference: zeros stay zeros
        return vector.map { Float(Double($0) * factor) }
    }
}

/// Vectors for texts.
public struct Embeddings: Sendable {
    /// In the order of the texts.
    public internal(set) var vectors: [[Float]] = []
    /// Tokens that were read of each text, with those around it.
    public private(set) var tokenCounts: [Int] = []
    /// Indices of the texts that were longer than the model's limit, and were cut.
    public private(set) var cutTexts: [Int] = []

    /// None yet.
    public init() {}

    init(_ texts: [FramedText]) {
        vectors = Array(repeating: [], count: texts.count)
        tokenCounts = texts.map(\.tokens.count)
        cutTexts = texts.indices.filter { texts[$0].cut > 0 }
    }

    /// Adds those of more texts.
    public mutating func append(_ other: Embeddings) {
        cutTexts += other.cutTexts.map { $0 + vectors.count }
        vectors += other.vectors
        tokenCounts += other.tokenCounts
    }
}

/// Why a model gives no vector for a text.
public enum EncoderError: Error, Equatable, CustomStringConvertible {
    /// The limit of tokens has no room for a text.
    case noRoom(model: String, limit: Int, around: Int)
    case unknownPrompt(name: String, known: [String])
    /// A text without tokens, of a model that wants none around it. Texts are counted from 0.
    case noTokens(text: Int)
    case tokenOutOfRange(token: Int, vocabulary: Int)
    /// A vector that holds what is no number.
    case notANumber(text: Int)

    public var description: String {
        switch self {
        case .noRoom(let model, let limit, let around):
            "\(model): at most \(limit) tokens are read, and \(around) of them stand around a text: there is no room for any"
        case .unknownPrompt(let name, let known):
            "there is no prompt \"\(name)\"; the model's files have "
                + (known.isEmpty ? "none" : known.map { "\"\($0)\"" }.joined(separator: ", "))
        case .noTokens(let text):
            "text \(text + 1) is empty and has no tokens, and this model wants none around it: there is nothing to read"
        case .tokenOutOfRange(let token, let vocabulary):
            "the tokenizer gives token \(token); the model knows 0 to \(vocabulary - 1)"
        case .notANumber(let text):
            "the vector of text \(text + 1) holds what is no number; `tinygpt verify` finds the first layer that goes wrong"
        }
    }
}
