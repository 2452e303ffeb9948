import TinyRunner
import TinyTokenizer

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// A token's log-probability and that of others at its place, all on one scale.
///
///     ln pᵢ = ln p + (zᵢ − z)
///
/// with the chosen token's p and z, or where its z is not known the likeliest one's: differences of logits stay exact where
/// probabilities are too small for a number.
struct TokenLogprobs: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        let token: Int
        let logprob: Double
    }

    /// What stands for no chance at all, which JSON has no number for.
    static let least = -9999.0

    let token: Int
    /// Nil for the first token of a text, which nothing comes before.
    let logprob: Double?
    /// The likeliest first, as many as were asked for.
    let top: [Entry]

    init(_ scored: ScoredToken) {
        token = scored.token
        logprob = (scored.score?.logProbability).map(Self.clamped)
        let own = scored.candidates.first { $0.token == scored.token }
        let anchor: (logit: Float, logprob: Double)? =
            if let own, let logprob = scored.score?.logProbability {
                (own.logit, logprob)
            } else {
                scored.candidates.first.map { ($0.logit, log(Double($0.probability))) }
            }
        top = scored.candidates.map { candidate in
            guard let anchor else { return Entry(token: candidate.token, logprob: Self.least) }
            return Entry(
                token: candidate.token,
                logprob: Self.clamped(anchor.logprob + (Double(candidate.logit) - Double(anchor.logit))))
        }
    }

    private static func clamped(_ value: Double) -> Double { value.isNaN ? least : min(0, max(least, value)) }
}

extension Tokenizer {
    /// A token as it stands inside a text; a special one, which adds nothing there, as the vocabulary writes it.
    func wireBytes(_ token: Int) -> [UInt8] {
        let bytes = pieceInside(token)
        return bytes.isEmpty && isSpecial(token) ? self.bytes(of: token) ?? [] : bytes
    }

    /// The same as text. What is part of a character is spelt `bytes:\xe4\xbd`, as OpenAI does.
    func wireText(_ token: Int) -> String {
        let bytes = wireBytes(token)
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        let digits = Array("0123456789abcdef")
        return "bytes:" + bytes.map { "\\x\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined()
    }
}
