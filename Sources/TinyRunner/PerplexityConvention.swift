/// How a text is cut into windows, and which of their tokens are scored.
///
/// It decides what came before a token, and so how well it can be predicted: figures compare only if the convention, the
/// window and the stride are the same.
public enum PerplexityConvention: Sendable, Equatable {
    /// Windows that overlap: each begins `stride` tokens behind the one before, and scores what that one has not. Every
    /// token is scored once; the text's first only where the model wants something in front of a text. A small stride
    /// gives every token a long past and costs as many passes. Half a window if nil.
    case sliding(stride: Int?)

    /// Windows of equal size, one behind the other; of each, the tokens of the second half but its first are scored. What
    /// is left over at the end is not read, and one line's end at the end of the text does not count. This is how
    /// llama.cpp's `llama-perplexity` does it: with the same window the figures compare.
    case secondHalves

    /// What is read of a text at a time, behind the opening, and which tokens are scored; both are positions in the text.
    struct Window: Equatable {
        let read: Range<Int>
        let scored: Range<Int>
    }

    /// The part of a text that is scored.
    func text(of text: String) -> String {
        guard self == .secondHalves, text.utf8.last == 0x0A else { return text }
        return String(text.unicodeScalars.dropLast())
    }

    /// The windows of a text.
    ///
    /// - Parameters:
    ///   - count: tokens of the text.
    ///   - opening: tokens that stand in front in every window.
    ///   - size: the most tokens read at a time, the opening among them.
    /// - Returns: at least one; each scores at least one token and reads up to the one before its last.
    /// - Throws: `RunnerError.badParameter`, `.textTooShort`
    func windows(tokens count: Int, opening: Int, window size: Int) throws(RunnerError) -> [Window] {
        switch self {
        case .sliding(let stride):
            guard size >= opening + 2 else {
                throw .badParameter(name: "window", value: "\(size)", expected: "a number from \(opening + 2) on")
            }
            let room = size - opening
            let stride = stride ?? room / 2
            guard (1...room).contains(stride) else {
                throw .badParameter(
                    name: "stride", value: "\(stride)",
                    expected: "a number from 1 to \(room), what a window has room for,")
            }
            return try sliding(count, opening: opening, room: room, stride: stride)
        case .secondHalves:
            guard size >= max(3, 2 * opening) else {
                throw .badParameter(
                    name: "window", value: "\(size)", expected: "a number from \(max(3, 2 * opening)) on")
            }
            return try secondHalves(count, opening: opening, size: size)
        }
    }

    private func sliding(_ count: Int, opening: Int, room: Int, stride: Int) throws(RunnerError) -> [Window] {
        // The logits behind a token speak of the next one, so something has to stand in front of the first.
        var next = opening > 0 ? 0 : 1
        guard next < count else { throw .textTooShort(tokens: count, needed: next + 1) }
        var windows: [Window] = []
        var begin = 0
        while next < count {
            let end = min(begin + room, count - 1)
            windows.append(Window(read: begin..<end, scored: next..<end + 1))
            next = end + 1
            begin += stride
        }
        return windows
    }

    private func secondHalves(_ count: Int, opening: Int, size: Int) throws(RunnerError) -> [Window] {
        // Windows are counted with the opening in front of the text; in later ones it takes the place of as many tokens.
        let whole = (opening + count) / size
        guard whole > 0 else { throw .textTooShort(tokens: count, needed: size - opening) }
        return (0..<whole).map { index in
            let begin = index * size
            let end = begin + size - opening
            return Window(read: begin..<end - 1, scored: begin + size / 2 + 1 - opening..<end)
        }
    }
}
