/// What tokenizers ask of a character, as the Python package `tokenizers` answers.
struct CharacterClass: Equatable {
    let bits: UInt8

    enum Kind: UInt8 {
        case other = 0
        /// `\p{L}`
        case letter = 1
        /// `\p{N}`
        case number = 2
        /// `\s`
        case space = 3
        /// A number to `Digits`, whose Unicode is newer, but not yet to `\p{N}`.
        case lateNumber = 4
    }

    var kind: UInt8 { bits & 7 }
    var isLetter: Bool { kind == Kind.letter.rawValue }
    var isNumber: Bool { kind == Kind.number.rawValue }
    var isSpace: Bool { kind == Kind.space.rawValue }
    var isNumeric: Bool { isNumber || kind == Kind.lateNumber.rawValue }
    /// `[^\s\p{L}\p{N}]`
    var isSymbol: Bool { kind == Kind.other.rawValue || kind == Kind.lateNumber.rawValue }
    /// `\w`
    var isWord: Bool { bits & 8 != 0 }
    /// Whether NFC may change this character, or its neighbours because of it.
    var isUnstable: Bool { bits & 16 != 0 }
}

/// The class of every scalar, in two steps: a page of 256 scalars, then the scalar in the page.
struct CharacterClasses: Sendable {
    static let shared = CharacterClasses()

    /// Where each page begins in `entries`. Equal pages that hold one class only are stored once.
    private let pages: [UInt16]
    private let entries: [UInt8]

    private init() {
        var pages: [UInt16] = []
        var entries: [UInt8] = []
        var uniform: [UInt8: UInt16] = [:]
        var runs = NumberText(UnicodeTables.classes)
        var value: UInt8 = 0
        var left = 0
        for _ in 0..<0x1100 {
            if left == 0 { (value, left) = (UInt8(runs.next()), runs.next()) }
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
                    if left == 0 { (value, left) = (UInt8(runs.next()), runs.next()) }
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

/// A scalar read from UTF-8, and how many bytes it takes.
struct DecodedScalar {
    let value: UInt32
    let length: Int

    /// Reads the scalar at `position`. Bytes that are not UTF-8 count as one unassigned character each: the callers of
    /// this need lengths that are right for valid text and that stay inside the bounds for any other.
    @inline(__always)
    init(_ bytes: borrowing Span<UInt8>, at position: Int, limit: Int) {
        let lead = bytes[position]
        if lead < 0x80 {
            value = UInt32(lead)
            length = 1
            return
        }
        let count = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2
        guard lead >= 0xC2, lead < 0xF5, position + count <= limit else {
            value = Self.invalid
            length = 1
            return
        }
        var scalar = UInt32(lead) & (0x7F >> UInt32(count))
        var index = position + 1
        while index < position + count {
            let byte = bytes[index]
            guard byte & 0xC0 == 0x80 else {
                value = Self.invalid
                length = 1
                return
            }
            scalar = scalar << 6 | UInt32(byte & 0x3F)
            index += 1
        }
        guard scalar < 0x110000 else {
            value = Self.invalid
            length = 1
            return
        }
        value = scalar
        length = count
    }

    /// The scalar that ends at `end`, not before `start`.
    init(_ bytes: borrowing Span<UInt8>, endingAt end: Int, start: Int) {
        var position = end - 1
        while position > start, end - position < 4, bytes[position] & 0xC0 == 0x80 { position -= 1 }
        let decoded = DecodedScalar(bytes, at: position, limit: end)
        self = position + decoded.length == end ? decoded : DecodedScalar(value: Self.invalid, length: 1)
    }

    private init(value: UInt32, length: Int) {
        self.value = value
        self.length = length
    }

    /// A noncharacter: no letter, no number, no space.
    private static let invalid: UInt32 = 0x10FFFF
}
