extension Character {
    /// Columns that it takes in a terminal: two for most of East Asia and for pictures, none for what only combines.
    var columns: Int {
        unicodeScalars.lazy.map { scalar in
            switch scalar.properties.generalCategory {
            case .nonspacingMark, .enclosingMark, .format, .control: 0
            default: scalar.isWide ? 2 : 1
            }
        }.max() ?? 0
    }
}

extension Unicode.Scalar {
    /// East Asian Width W or F: Unicode Standard Annex #11.
    fileprivate var isWide: Bool {
        switch value {
        case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0xA4CF, 0xA960...0xA97F,
            0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F, 0xFF01...0xFF60, 0xFFE0...0xFFE6, 0x1B000...0x1B2FF,
            0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
            true
        default: false
        }
    }
}

extension String {
    var columns: Int { reduce(0) { $0 + $1.columns } }

    /// Cut and filled up to so many columns.
    func fitted(to width: Int) -> String {
        if columns <= width { return self + String(repeating: " ", count: width - columns) }
        var (result, used) = ("", 0)
        for character in self {
            if used + character.columns > width - 1 { break }
            result.append(character)
            used += character.columns
        }
        return result + "…" + String(repeating: " ", count: width - 1 - used)
    }
}
