/// What tokenizers ask of a character, as the Python package `tokenizers` answers.
struct CharacterClass: Equatable {
    let bits: UInt16

    /// `\p{Lu}` and `\p{Lt}`
    static let upper: UInt16 = 1
    /// `\p{Ll}`
    static let lower: UInt16 = 1 << 1
    /// `\p{Lm}` and `\p{Lo}`
    static let otherLetter: UInt16 = 1 << 2
    /// `\p{M}`
    static let mark: UInt16 = 1 << 3
    /// `\p{N}`
    static let number: UInt16 = 1 << 4
    /// `\s`
    static let space: UInt16 = 1 << 5
    /// `\p{P}`
    static let punctuation: UInt16 = 1 << 6
    /// `\p{S}`
    static let symbol: UInt16 = 1 << 7
    /// To `Digits`, whose Unicode is newer than that of `\p{N}`.
    static let numeric: UInt16 = 1 << 8
    /// `\w`
    static let word: UInt16 = 1 << 9
    /// Whether NFC may change this character, or its neighbours because of it.
    static let unstable: UInt16 = 1 << 10
    /// To `Punctuation` and `BertPreTokenizer`, whose Unicode is older than that of `\p{P}`.
    static let isolated: UInt16 = 1 << 11
    /// What `BertNormalizer` leaves out when it cleans text.
    static let control: UInt16 = 1 << 12
    /// The marks that `BertNormalizer` strips.
    static let nonspacing: UInt16 = 1 << 13
    /// The marks that `StripAccents` strips.
    static let combining: UInt16 = 1 << 14

    /// `\p{L}`
    static let letter = upper | lower | otherLetter

    @inline(__always)
    func isAny(of flags: UInt16) -> Bool { bits & flags != 0 }

    var isLetter: Bool { isAny(of: Self.letter) }
    var isNumber: Bool { isAny(of: Self.number) }
    var isSpace: Bool { isAny(of: Self.space) }
    var isNumeric: Bool { isAny(of: Self.numeric) }
    var isWord: Bool { isAny(of: Self.word) }
    var isUnstable: Bool { isAny(of: Self.unstable) }
    /// `[^\s\p{L}\p{N}]`
    var isSymbol: Bool { !isAny(of: Self.letter | Self.number | Self.space) }
}

/// The class of every scalar, in two steps: a page of 256 scalars, then the scalar in the page.
struct CharacterClasses: Sendable {
    static let shared = CharacterClasses()

    /// Where each page begins in `entries`. Equal pages that hold one class only are stored once.
    private let pages: [UInt16]
    private let entries: [UInt16]

    private init() {
        var pages: [UInt16] = []
        var entries: [UInt16] = []
        var uniform: [UInt16: UInt16] = [:]
        var runs = NumberText(UnicodeTables.classes)
        var value: UInt16 = 0
        var left = 0
        for _ in 0..<0x1100 {
            if left == 0 { (value, left) = (UInt16(runs.next()), runs.next()) }
            let start = UInt16(entries.count / 256)
            if left >= 256 {
                left -= 256
                if let page = uniform[value] {
                    pages.append(page)
                    continue
                }
                uniform[value] = start
                entries.append(contentsOf: repeatElement(value, count: 256))
            } else {
                var room = 256
                while room > 0 {
                    if left == 0 { (value, left) = (UInt16(runs.next()), runs.next()) }
                    let count = min(room, left)
                    entries.append(contentsOf: repeatElement(value, count: count))
                    room -= count
                    left -= count
                }
            }
            pages.append(start)
        }
        self.pages = pages
        self.entries = entries
    }

    subscript(scalar: UInt32) -> CharacterClass {
        CharacterClass(bits: entries[Int(pages[Int(scalar >> 8)]) << 8 | Int(scalar & 255)])
    }
}
