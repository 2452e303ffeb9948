import TinyGPT

/// What the model weighed for each token of an answer, within so many columns.
struct CandidatesTable {
    let tokenizer: Tokenizer
    let width: Int

    private static let pieceColumns = 14
    /// A piece, a space, a probability.
    private static let cellColumns = 20

    /// - Parameter count: how many alternatives to each token.
    func text(_ tokens: [ScoredToken], _ count: Int) -> String {
        let pieces = tokenizer.pieces(tokens.map(\.token))
        let first = Self.cellColumns
        let cells = max(1, (width - first) / (Self.cellColumns + 2))
        var lines = [("token".padded(to: first) + "  instead").cut(to: width)]
        for (token, piece) in zip(tokens, pieces) {
            var line = cell(piece, token.score?.probability)
            let others = token.candidates.filter { $0.token != token.token }.prefix(count)
            for (index, other) in others.enumerated() {
                if index > 0 && index % cells == 0 {
                    lines.append(line)
                    line = "".padded(to: first)
                }
                line += "  " + cell(tokenizer.pieceInside(other.token), Double(other.probability))
            }
            lines.append(line)
        }
        return lines.map { $0.cut(to: width) + "\n" }.joined()
    }

    private func cell(_ piece: [UInt8], _ probability: Double?) -> String {
        let text = "\"\(Tokenizer.readable(piece).visible)\"".cut(to: Self.pieceColumns)
        let number = probability.map { ($0 * 100).fixed(1) } ?? ""
        return text.padded(to: Self.pieceColumns) + number.leftPadded(to: Self.cellColumns - Self.pieceColumns)
    }
}
