import TinyModels
public import TinyRunner
import TinyTokenizer

/// A model that makes vectors of texts.
public struct ModelEmbedder: TextEmbedder {
    public let encoder: Encoder
    public let name: String
    public let tokenLimit: Int
    private let tokenizer: Tokenizer
    private let prompts: (query: String?, passage: String?)

    /// Passages are shorter than most models could read: a vector says less of each thing the more it has to say.
    private static let passageTokens = 200

    /// - Throws: where the model makes no vectors.
    public init(_ encoder: Encoder) throws {
        self.encoder = encoder
        name = encoder.model.path.split(separator: "/").last.map(String.init) ?? encoder.model.path
        tokenizer = try encoder.model.tokenizer
        let known = encoder.settings.prompts
        prompts = (
            ["query"].first { known[$0] != nil }, ["document", "passage"].first { known[$0] != nil }
        )
        let words = (prompts.passage ?? encoder.settings.defaultPrompt).flatMap { known[$0] } ?? ""
        let around = tokenizer.opening.count + tokenizer.closing.count + tokenizer.encode(words).count
        guard encoder.tokenLimit > around else {
            throw EncoderError.noRoom(model: encoder.model.path, limit: encoder.tokenLimit, around: around)
        }
        tokenLimit = min(Self.passageTokens, encoder.tokenLimit - around)
    }

    /// Opens a model, as `Model(at:precision:threads:)` does.
    public init(at path: String, threads: Int? = nil) throws {
        try self.init(Encoder(Model(at: path, threads: threads)))
    }

    public func tokenCount(of text: String) -> Int { tokenizer.encode(text).count }

    public func vectors(of texts: [String], for use: TextUse) throws -> [[Float]] {
        try encoder.embeddings(of: texts, prompt: use == .query ? prompts.query : prompts.passage)
    }
}
