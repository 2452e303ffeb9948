import Testing
import TinyModels
import TinyRunner
import TinyTestSupport
import TinyTokenizer

@testable import TinyRetrieval

@Suite("A model as embedder") struct ModelEmbedderTests {
    /// The fixture has forty positions.
    @Test func limitsAndVectors() throws {
        let model = try Model(at: Fixtures.path("gpt2-default/model.gguf"), threads: 1)
        let embedder = try ModelEmbedder(Encoder(model))
        #expect(embedder.name == "model.gguf" && (30...40).contains(embedder.tokenLimit))
        let text = "ab cd. ef gh! 你好。再见。"
        #expect(embedder.tokenCount(of: text) == (try model.tokenizer.encode(text).count))
        let cutter = PassageCutter(tokenLimit: embedder.tokenLimit, tokenCount: embedder.tokenCount)
        let passages = cutter.passages(of: String(repeating: text, count: 9))
        #expect(passages.count > 3)
        let result = try embedder.encoder.encode(passages.map(\.text))
        #expect(result.cutTexts == [], "every passage fits")
        #expect(try embedder.vectors(of: passages.map(\.text), for: .passage) == result.vectors)
    }
}
