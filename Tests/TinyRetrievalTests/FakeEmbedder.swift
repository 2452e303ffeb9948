import TinyRetrieval

/// Counts of words as vectors: texts that share words are close. A token is a word, or a character of Chinese.
struct FakeEmbedder: TextEmbedder {
    var name = "words"
    var tokenLimit = 20
    /// Multiplies every number of a direction, which makes another model of it.
    var turn: Float = 0
    var width = 64
    /// Called with the texts before they are embedded.
    var onTexts: @Sendable ([String]) throws -> Void = { _ in }

    static func words(_ text: String) -> [String] {
        var (words, word) = ([String](), "")
        for scalar in text.lowercased().unicodeScalars {
            if scalar.properties.isAlphabetic && scalar.value < 0x2E80 {
                word.unicodeScalars.append(scalar)
                continue
            }
            if !word.isEmpty { words.append(word) }
            word = ""
            if scalar.properties.isAlphabetic { words.append(String(scalar)) }
        }
        return word.isEmpty ? words : words + [word]
    }

    func tokenCount(of text: String) -> Int { Self.words(text).count }

    func vectors(of texts: [String], for use: TextUse) throws -> [[Float]] {
        try onTexts(texts)
        return texts.map { text in
            var vector = [Float](repeating: 0.01, count: width)
            for word in Self.words(text) {
                // FNV-1a: the same in every process.
                let hash = word.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
                vector[Int(hash % UInt64(width))] += 1
            }
            vector[0] += turn
            return vector
        }
    }
}
