import TinyJSON
import TinyLoader

/// A tokenizer's files, made from the keys of a GGUF file that keeps none.
enum TokenizerFolder {
    static func files(_ gguf: GGUF, warnings: inout [String]) throws -> [(String, [UInt8])] {
        guard try gguf.metadata.texts("tokenizer.ggml.tokens") != nil else { return [] }
        warnings.append("the folder gets no tokenizer: GGUF's keys are not turned into a tokenizer.json yet")
        return []
    }
}
