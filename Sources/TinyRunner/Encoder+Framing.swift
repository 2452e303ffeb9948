import TinyLayers
import TinyModels
import TinyTensor
import TinyTokenizer

/// A text's tokens, ready to be read.
struct FramedText: Sendable {
    var tokens: [Int]
    var types: [Int]
    /// Tokens that did not fit.
    var cut: Int
}

extension Encoder {
    /// The tokens of texts with what the model wants around them; threads share the texts.
    ///
    /// - Returns: the texts, and how many tokens in front of each are a prompt's that does not count.
    func frame(
        _ texts: [String], promptNamed name: String?, _ given: String?
    ) throws(EncoderError) -> (texts: [FramedText], skipped: Int) {
        var prompt = given ?? ""
        if given == nil, let name = name ?? settings.defaultPrompt {
            guard let text = settings.prompts[name] else {
                throw .unknownPrompt(name: name, known: settings.prompts.keys.sorted())
            }
            prompt = text
        }
        let skipped =
            settings.includesPrompt || prompt.isEmpty ? 0 : frame(prompt).tokens.count - tokenizer.closing.count
        let shares = Shares()
        let framed = [FramedText](unsafeUninitializedCapacity: texts.count) { buffer, count in
            // Threads write to places that do not overlap.
            nonisolated(unsafe) let base = buffer.baseAddress
            model.compute.pool.run(isEven: false) { _ in
                while let index = shares.next(of: texts.count), let base {
                    (base + index).initialize(to: frame(prompt + texts[index]))
                }
            }
            count = texts.count
        }
        for (index, text) in framed.enumerated() {
            if text.tokens.isEmpty { throw .noTokens(text: index) }
            for token in text.tokens where token < 0 || token >= model.spec.vocabulary {
                throw .tokenOutOfRange(token: token, vocabulary: model.spec.vocabulary)
            }
        }
        return (framed, skipped)
    }

    /// Special tokens in a text are those tokens, as the reference has it: nothing here obeys them.
    private func frame(_ text: String) -> FramedText {
        let (framed, cut) = tokenizer.encodeFramed(
            settings.lowercases ? text.lowercased() : text, limit: tokenLimit, special: true,
            cutsBeginning: settings.cutsBeginning)
        let kinds = model.tokenTypes
        return FramedText(tokens: framed.tokens, types: framed.types.map { min($0, kinds - 1) }, cut: cut)
    }
}
