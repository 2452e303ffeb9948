import Foundation
import Testing
import TinyGPT
import TinyTestSupport

@testable import TinyGPTCommand

@Suite("chat: what is shown")
struct ChatOutputTests {
    private let color = TerminalStyle(isTerminal: true, hasColor: true, width: 60)
    private let plain = TerminalStyle(isTerminal: true, hasColor: false, width: 60)
    private let pipe = TerminalStyle(isTerminal: false, hasColor: false, width: 80)

    private func piece(_ text: String, _ probabilities: Double...) throws -> Piece {
        Piece(text: text, tokens: try probabilities.map { try ScoredToken.of(probability: $0) })
    }

    @Test func controlCharacters() throws {
        var text = ReplyText(plain, showsConfidence: false)
        #expect(text.take(Piece(text: "a\u{1B}[2Jb\n\tc\r\u{7}\u{9B}")) == "a\\u{1b}[2Jb\n\tc\\r\\u{7}\\u{9b}")
        // A pipe takes what was said as it is.
        var raw = ReplyText(pipe, showsConfidence: false)
        #expect(raw.take(Piece(text: "a\u{1B}[2J")) == "a\u{1B}[2J")
    }

    @Test func colors() throws {
        var text = ReplyText(color, showsConfidence: true)
        #expect(text.take(try piece("a", 0.95)) == "a")
        #expect(text.take(try piece("b", 0.6)) == "\u{1B}[32mb\u{1B}[0m")
        #expect(text.take(try piece("c", 0.3)) == "\u{1B}[33mc\u{1B}[0m")
        // The least likely of the tokens that make up a character counts.
        #expect(text.take(try piece("", 0.1)) == "")
        #expect(text.take(try piece("你", 0.99)) == "\u{1B}[31m你\u{1B}[0m")
        #expect(text.take(try piece("d", 0.99)) == "d")
        var off = ReplyText(color, showsConfidence: false)
        #expect(off.take(try piece("b", 0.1)) == "b")
    }

    @Test func marks() throws {
        var text = ReplyText(plain, showsConfidence: true)
        #expect(text.take(try piece("a", 0.6)) == "a")
        #expect(text.take(try piece(" b", 0.371)) == " b[37%]")
        #expect(text.take(try piece("c.\n\n", 0.004)) == "c.[0%]\n\n")
        #expect(text.take(try piece("\n", 0.2)) == "[20%]\n")
    }

    @Test func candidates() throws {
        let tokenizer = try Tokenizer(at: Fixtures.path("llama-default"))
        let logits = [Float](repeating: 0, count: 100)
        let others = Candidate.top(20, of: logits.span)  // of equal ones the first
        let tokens = (60..<64).map { ScoredToken($0, score: nil, candidates: others) }
        for width in [20, 43, 60, 80, 200] {
            let text = CandidatesTable(tokenizer: tokenizer, width: width).text(tokens, 5)
            let lines = text.split(separator: "\n").map(String.init)
            #expect(lines.allSatisfy { $0.columns <= width }, "\(width)")
            // All five of each token, however many lines that takes.
            let shown = text.components(separatedBy: "1.0").count - 1
            #expect(width == 20 || shown == 4 * 5, "\(width)")
        }
        #expect(CandidatesTable(tokenizer: tokenizer, width: 60).text(tokens, 1).split(separator: "\n").count == 5)
    }
}

extension ScoredToken {
    /// Of two tokens, one this likely.
    fileprivate static func of(probability: Double) throws -> ScoredToken {
        let logit = Float(log(probability / (1 - probability)))
        let logits: [Float] = [logit, 0]
        return ScoredToken(0, score: TokenScore(of: 0, logits.span))
    }
}
