/// Places where a text may be cut, and how well.
enum TextBreak {
    enum Kind: Int { case line, sentence, paragraph, section }

    struct Place: Equatable {
        /// Bytes from the text's start to what follows.
        let offset: Int
        let kind: Kind
    }

    /// All places in a text, in order; its end is the last one, and a section's.
    ///
    /// A sentence ends at `.`, `!`, `?` or `…` before a space, and at `。`, `！`, `？` or `；` before anything, with the quotes
    /// and brackets that close behind them. A paragraph ends at a blank line. A section begins with a line that starts
    /// with `#`, as headings do in Markdown; one heading under another begins none.
    static func places(in text: String) -> [Place] {
        var scanner = Scanner()
        for scalar in text.unicodeScalars { scanner.read(scalar) }
        return scanner.finish()
    }

    static func isBlank(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case " ", "\t", "\r", "\n", "\u{A0}", "\u{3000}": true
        default: false
        }
    }

    private struct Scanner {
        private enum Ending { case none, beforeSpace, anywhere }

        private var places: [Place] = []
        private var offset = 0
        private var lineStart = 0
        private var lineIsBlank = true
        private var hasBody = false
        private var ending = Ending.none

        mutating func read(_ scalar: Unicode.Scalar) {
            endSentence(before: scalar)
            if lineIsBlank && !isBlank(scalar) {
                lineIsBlank = false
                if scalar == "#" {
                    if hasBody { add(lineStart, .section) }
                    hasBody = false
                } else {
                    hasBody = true
                }
            }
            offset += UTF8.width(scalar)
            if scalar == "\n" {
                add(offset, lineIsBlank ? .paragraph : .line)
                (lineStart, lineIsBlank) = (offset, true)
            }
        }

        private mutating func endSentence(before scalar: Unicode.Scalar) {
            switch scalar {
            case ".", "!", "?", "…": if ending != .anywhere { ending = .beforeSpace }
            case "。", "！", "？", "；", "｡": ending = .anywhere
            case "\"", "'", ")", "]", "”", "’", "」", "』", "）", "》", "】": break
            default:
                if ending == .anywhere || (ending == .beforeSpace && isBlank(scalar)) { add(offset, .sentence) }
                ending = .none
            }
        }

        /// The better of two kinds where places coincide; a heading's section begins where a line or paragraph ended.
        private mutating func add(_ offset: Int, _ kind: Kind) {
            if offset == 0 { return }
            if let last = places.last, last.offset == offset {
                if last.kind.rawValue >= kind.rawValue { return }
                places.removeLast()
            }
            places.append(Place(offset: offset, kind: kind))
        }

        consuming func finish() -> [Place] {
            add(offset, .section)
            return places
        }
    }
}
