import TinyLayers
package import TinyModels

/// How fast a model reads and decodes, measured as a user would see it. The text is made up: speed does not depend on it.
package struct Benchmark {
    private let model: Model

    package init(model: Model) { self.model = model }

    /// Tokens a second for reading a prompt, each time into an empty cache.
    package func promptSpeeds(tokens: Int, repetitions: Int) throws -> [Double] {
        let prompt = text(tokens)
        var decoder = model.decoder(capacity: tokens)
        return try speeds(tokens, repetitions) {
            try decoder.truncate(to: 0)
            try decoder.read(prompt) { _ in }
        }
    }

    /// Tokens a second for decoding, each time from one token on.
    package func decodeSpeeds(tokens: Int, repetitions: Int) throws -> [Double] {
        var decoder = model.decoder(capacity: tokens + 1)
        let text = text(tokens + 1)
        try decoder.read([text[0]]) { _ in }
        return try speeds(tokens, repetitions) {
            try decoder.truncate(to: 1)
            for token in text.dropFirst() { try decoder.step(token) { _ in } }
        }
    }

    private func speeds(_ tokens: Int, _ repetitions: Int, _ body: () throws -> Void) throws -> [Double] {
        try body()  // the warm-up: pages are touched, threads awake
        return try (0..<repetitions).map { _ in
            var clock = Stopwatch()
            try body()
            return Double(tokens) / max(clock.lap(), 1e-9)
        }
    }

    private func text(_ count: Int) -> [Int] { (0..<count).map { ($0 * 7919 + 17) % model.spec.vocabulary } }
}
