extension String {
    /// Columns that a terminal gives this text: two for a wide character, none for what joins the one before it.
    var columns: Int { reduce(0) { $0 + $1.columns } }

    /// The beginning that fits so many columns, with … where something was cut off.
    func cut(to width: Int) -> String {
        if columns <= width { return self }
        var (result, used) = ("", 0)
        for character in self {
            used += character.columns
            if used > width - 1 { break }
            result.append(character)
        }
        return result + "…"
    }

    /// Its lines broken between words where they have more columns; a word that alone has more is left to the terminal.
    func wrapped(to width: Int) -> String {
        split(separator: "\n", omittingEmptySubsequences: false).map { line in
            if String(line).columns <= width { return String(line) }
            var (result, used) = ("", 0)
            for (index, word) in line.split(separator: " ", omittingEmptySubsequences: false).enumerated() {
                let columns = String(word).columns
                let breaks = index > 0 && used > 0 && used + 1 + columns > width
                result += (index == 0 ? "" : breaks ? "\n" : " ") + word
                used = (index == 0 || breaks ? 0 : used + 1) + columns
            }
            return result
        }.joined(separator: "\n")
    }
}

extension Character {
    /// Unicode Standard Annex 11, as terminals take it: what is ambiguous is narrow, and an emoji is wide.
    var columns: Int {
        guard let first = unicodeScalars.first(where: { !$0.isZeroWidth }) else { return 0 }
        let isEmoji = first.properties.isEmojiPresentation || unicodeScalars.contains("\u{FE0F}")
        return isEmoji || first.isWide ? 2 : 1
    }
}

extension Unicode.Scalar {
    fileprivate var isZeroWidth: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format, .control: true
        default: false
        }
    }

    /// Wide and full-width forms, in blocks; emoji are told by their own property.
    fileprivate var isWide: Bool {
        switch value {
        case 0x1100...0x115F, 0x2329...0x232A, 0x2E80...0x303E, 0x3041...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6,
            0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF, 0x1F200...0x1F265, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}
