/// Puts messages together from lines: one is a message, unless it ends in `\` or begins a block with `"""`.
struct MessageReader {
    enum Input: Equatable {
        /// As typed: it may be a command.
        case typed(String)
        /// From a block, where nothing is a command.
        case block(String)

        var isEmpty: Bool { text.trimmed.isEmpty }

        var text: String {
            switch self {
            case .typed(let text), .block(let text): text
            }
        }
    }

    private enum State {
        case outside
        case continued([String])
        case block([String])
    }

    private var state = State.outside
    private static let quotes = "\"\"\""

    /// Whether a message has begun and not ended.
    var isInside: Bool { if case .outside = state { false } else { true } }
    var isInBlock: Bool { if case .block = state { true } else { false } }

    /// - Parameter line: without its end. One with line ends in it was pasted, and is one message.
    /// - Returns: the message that it ends, if it does.
    mutating func take(_ line: String) -> Input? {
        let line = line.hasSuffix("\r") ? String(line.dropLast()) : line
        if line.contains("\n"), !isInBlock, !line.drop(while: \.isWhitespace).hasPrefix(Self.quotes) {
            return takeWhole(line)
        }
        var result: Input?
        for part in line.split(separator: "\n", omittingEmptySubsequences: false) {
            result = takeLine(String(part)) ?? result
        }
        return result
    }

    /// There are no more lines: what has been said so far, if it was not in a block.
    mutating func finish() -> Input? {
        defer { state = .outside }
        guard case .continued(let lines) = state else { return nil }
        return .typed(lines.joined(separator: "\n"))
    }

    /// Forgets a message that has begun.
    mutating func clear() { state = .outside }

    private mutating func takeWhole(_ text: String) -> Input {
        defer { state = .outside }
        guard case .continued(let lines) = state else { return .typed(text) }
        return .typed((lines + [text]).joined(separator: "\n"))
    }

    private mutating func takeLine(_ line: String) -> Input? {
        switch state {
        case .outside:
            let start = line.drop { $0.isWhitespace }
            if start.hasPrefix(Self.quotes) {
                state = .block([])
                return takeBlock(String(start.dropFirst(3)), isFirst: true)
            }
            return takeContinued([], line)
        case .continued(let lines): return takeContinued(lines, line)
        case .block: return takeBlock(line, isFirst: false)
        }
    }

    private mutating func takeContinued(_ lines: [String], _ line: String) -> Input? {
        if line.hasSuffix("\\") {
            state = .continued(lines + [String(line.dropLast())])
            return nil
        }
        state = .outside
        return .typed((lines + [line]).joined(separator: "\n"))
    }

    /// - Parameter isFirst: whether the quotes stand before it, on the same line.
    private mutating func takeBlock(_ line: String, isFirst: Bool) -> Input? {
        guard case .block(var lines) = state else { return nil }
        var end = line[...]
        while end.last?.isWhitespace == true { end = end.dropLast() }
        if end.hasSuffix(Self.quotes) {
            let last = String(end.dropLast(3))
            if !last.isEmpty { lines.append(last) }
            state = .outside
            return .block(lines.joined(separator: "\n"))
        }
        if !(isFirst && line.isEmpty) { lines.append(line) }
        state = .block(lines)
        return nil
    }
}
