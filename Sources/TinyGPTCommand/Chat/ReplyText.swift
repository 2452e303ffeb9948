import TinyGPT

/// An answer as it is shown, piece by piece, with the confidence of each token if that was asked for.
struct ReplyText {
    let style: TerminalStyle
    let showsConfidence: Bool
    /// The least likely of the tokens whose text is still to come.
    private var lowest: Double?

    init(_ style: TerminalStyle, showsConfidence: Bool) {
        (self.style, self.showsConfidence) = (style, showsConfidence)
    }

    /// How sure is sure enough.
    private static let levels: [(from: Double, color: TerminalStyle.Color?)] = [
        (0.9, nil), (0.5, .green), (0.2, .yellow), (0, .red),
    ]
    /// Without color only what is less likely than this is marked.
    private static let marked = 0.5

    /// What the marks mean, in a line.
    static func legend(_ style: TerminalStyle) -> String {
        guard style.hasColor else {
            return "[37%] stands behind a token that had this probability, where it was below \(Int(marked * 100)) %"
        }
        var (words, above) = ([String](), 100)
        for (from, color) in levels {
            words.append(style.colored("\(Int(from * 100)) to \(above)", color))
            above = Int(from * 100)
        }
        return "The tokens' probabilities in %: \(words.joined(separator: ", "))"
    }

    /// What to show of a piece. Nothing in it steers a terminal but colors of our own.
    mutating func take(_ piece: Piece) -> String {
        for token in piece.tokens {
            if let probability = token.score?.probability { lowest = min(lowest ?? 1, probability) }
        }
        if piece.text.isEmpty { return "" }
        let text = style.isTerminal ? piece.text.visibleLines : piece.text
        guard showsConfidence, let probability = lowest else { return text }
        lowest = nil
        if style.hasColor {
            return style.colored(text, Self.levels.first { probability >= $0.from }?.color)
        }
        if probability >= Self.marked { return text }
        // Behind the word, not behind the line's end that follows it.
        let space = text.reversed().prefix { $0.isWhitespace }.count
        let mark = "[\(Int((probability * 100).rounded()))%]"
        return text.dropLast(space) + mark + text.suffix(space)
    }
}
