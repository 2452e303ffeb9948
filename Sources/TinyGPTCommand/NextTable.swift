import Foundation
import TinyGPT

/// What `next` prints for people.
struct NextTable {
    private let trace: Trace
    private let tokenizer: Tokenizer
    private let isScored: Bool
    private let given: Int
    /// Each token as it stands in the text.
    private let pieces: [String]

    /// How many alternatives stand in a row.
    private let alternatives: Int

    /// Columns for a token.
    private static let pieceColumns = 18

    init(_ trace: Trace, _ tokenizer: Tokenizer, isScored: Bool, alternatives: Int) {
        self.alternatives = alternatives
        self.trace = trace
        self.tokenizer = tokenizer
        self.isScored = isScored
        given = trace.tokens.count { !$0.isChosen }
        let bytes = tokenizer.pieces(trace.tokens.map(\.id))
        var pieces = bytes.map { Self.quoted($0) }
        // Where several tokens make up a character, it stands beside the last of them.
        for run in Tokenizer.runs(bytes) where run.count > 1 {
            pieces[run.upperBound - 1] += " " + Tokenizer.readable(Array(bytes[run].joined())).visible
        }
        self.pieces = pieces
    }

    var text: String {
        var lines: [String] = []
        if isScored { lines += scores() }
        if trace.stopReason != nil { lines += steps() }
        if !isScored && trace.stopReason == nil { lines += candidates() }
        if !trace.lensLayers.isEmpty { lines += [""] + lens() }
        if !trace.attention.isEmpty { lines += [""] + attention() }
        return lines.map { $0 + "\n" }.joined()
    }

    private func candidates() -> [String] {
        trace.next?.candidates.map { candidate in
            let logit = Double(candidate.logit).fixed(3).leftPadded(to: 9)
            return "\(percent(candidate.probability))  \(logit)  \(String(candidate.token).leftPadded(to: 6))  "
                + quoted(candidate.token)
        } ?? []
    }

    private func scores() -> [String] {
        var lines = ["    id  token               probability    rank  entropy  instead"]
        for index in 0..<given {
            let token = trace.tokens[index]
            var line = String(token.id).leftPadded(to: 6) + "  " + column(pieces[index])
            if let score = token.score, let expected = trace.expected(at: index) {
                line += "  " + percent(score.probability) + String(score.rank).leftPadded(to: 10)
                line += expected.entropy.fixed(2).leftPadded(to: 9) + "  " + others(expected, than: token.id)
            }
            lines.append(line)
        }
        let scores = trace.tokens[..<given].compactMap(\.score?.logProbability)
        if scores.isEmpty { return lines + ["no token could be scored: one has nothing before it"] }
        let sum = scores.reduce(0, +)
        let mean = sum / Double(scores.count)
        lines.append(
            "\(scores.count) tokens scored, log-probability \(sum.fixed(3)), mean \(mean.fixed(4)), "
                + "perplexity \((-mean).exponential.fixed(3))")
        return lines
    }

    private func steps() -> [String] {
        var lines = ["  step  token               probability  entropy   log p so far  alternatives"]
        var total = 0.0
        for index in given..<trace.tokens.count {
            let token = trace.tokens[index]
            guard let score = token.score, let expected = trace.expected(at: index) else { continue }
            total += score.logProbability
            lines.append(
                String(index - given + 1).leftPadded(to: 6) + "  " + column(pieces[index]) + "  "
                    + percent(score.probability) + expected.entropy.fixed(2).leftPadded(to: 12)
                    + total.fixed(3).leftPadded(to: 15) + "  " + others(expected, than: token.id))
        }
        let text = (try? tokenizer.decode(trace.tokens[given...].map(\.id))) ?? ""
        lines.append("\"\(text.visible)\": probability \(total.exponential.scientific)\(reason)")
        return lines
    }

    private var reason: String {
        switch trace.stopReason {
        case .endOfText: ", and there the model ends the text"
        case .contextFull: ", and there the context is full"
        default: ""
        }
    }

    private func lens() -> [String] {
        var lines = ["If the model stopped behind \(pieces[given - 1]) after a layer:", " layer  entropy  candidates"]
        for (layer, view) in zip(trace.lensLayers, trace.tokens[given - 1].lens) {
            lines.append(
                String(layer).leftPadded(to: 6) + view.entropy.fixed(2).leftPadded(to: 9) + "  " + list(view.candidates)
            )
        }
        return lines
    }

    private func attention() -> [String] {
        var lines = ["At \(pieces[given - 1]) the heads looked at:", " layer  head  tokens"]
        for map in trace.attention {
            for head in 0..<map.heads {
                let weights = map.weights(head: head, token: given - 1)
                var parts = weights.enumerated().sorted { $0.element > $1.element }.prefix(max(alternatives, 5))
                    .filter { $0.element >= 0.01 }
                    .map { "\(pieces[$0.offset].cut(to: Self.pieceColumns)) \(short($0.element))" }
                if map.hasElsewhere {
                    parts.append("elsewhere \(short(map.elsewhere(head: head, token: given - 1)))")
                }
                lines.append(
                    String(map.layer).leftPadded(to: 6) + String(head + 1).leftPadded(to: 6) + "  "
                        + parts.joined(separator: "  "))
            }
        }
        return lines
    }

    // MARK: Pieces and numbers

    private static func quoted(_ bytes: [UInt8]) -> String { "\"\(Tokenizer.readable(bytes).visible)\"" }

    private func quoted(_ token: Int) -> String { Self.quoted(tokenizer.pieceInside(token)) }

    private func column(_ piece: String) -> String {
        piece.cut(to: Self.pieceColumns).padded(to: Self.pieceColumns)
    }

    private func others(_ prediction: Prediction, than token: Int) -> String {
        list(prediction.candidates.filter { $0.token != token })
    }

    private func list(_ candidates: [Candidate]) -> String {
        candidates.prefix(alternatives).map { candidate in
            "\(quoted(candidate.token).cut(to: Self.pieceColumns)) \(short(candidate.probability))"
        }.joined(separator: "  ")
    }

    private func percent(_ probability: some BinaryFloatingPoint) -> String {
        (Double(probability) * 100).fixed(2).leftPadded(to: 6) + " %"
    }

    private func short(_ probability: Float) -> String { (Double(probability) * 100).fixed(1) + " %" }
}

extension Double {
    /// e to this power.
    var exponential: Double { exp(self) }
}
