/// One Unicode scalar of a text, and who wrote it: the template's author, or whoever filled in the values.
///
/// Two letters are equal if their scalars are, whoever wrote them, so every search and comparison works on scalars (as
/// Python's strings do, and unlike Swift's `String`, which compares graphemes by canonical equivalence).
struct Letter: Hashable, Sendable {
    /// The scalar; the highest bit says that it came from a value.
    private let bits: UInt32
    private static let fromValue: UInt32 = 1 << 31

    init(_ scalar: Unicode.Scalar, isTemplate: Bool = true) {
        bits = scalar.value | (isTemplate ? 0 : Self.fromValue)
    }

    var code: UInt32 { bits & ~Self.fromValue }
    var isTemplate: Bool { bits & Self.fromValue == 0 }
    /// Always a scalar: `init` takes nothing else.
    var scalar: Unicode.Scalar { Unicode.Scalar(code) ?? "\u{FFFD}" }

    /// Another scalar of the same origin, for changes of case and escapes.
    func replaced(by scalar: Unicode.Scalar) -> Letter { Letter(scalar, isTemplate: isTemplate) }

    static func == (a: Letter, b: Letter) -> Bool { a.code == b.code }
    static func == (a: Letter, b: Unicode.Scalar) -> Bool { a.code == b.value }
    static func != (a: Letter, b: Unicode.Scalar) -> Bool { a.code != b.value }
    func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

/// A string of the template language: scalars that can be indexed, each of which remembers who wrote it.
///
/// The origin goes wherever the letter goes (through slices, joins, filters, macros), so nothing has to be said about it
/// anywhere else. It is what keeps a user's `<|im_end|>` from ever being read as a special token.
struct Text: Hashable, Sendable, Comparable {
    var letters: [Letter]
    /// Went through `safe` or `escape`: what is added to it is escaped for HTML first, as Jinja does even where it
    /// escapes nothing else. It does not matter to comparisons.
    var isMarkup = false

    init(_ letters: [Letter] = []) { self.letters = letters }
    init(_ letters: ArraySlice<Letter>) { self.letters = Array(letters) }

    init(_ string: String, isTemplate: Bool) {
        letters = string.unicodeScalars.map { Letter($0, isTemplate: isTemplate) }
    }

    /// Text of the engine's own making: names, numbers, punctuation.
    init(_ string: String) { self.init(string, isTemplate: true) }

    var count: Int { letters.count }
    var isEmpty: Bool { letters.isEmpty }

    var string: String {
        var scalars = String.UnicodeScalarView()
        scalars.reserveCapacity(letters.count)
        for letter in letters { scalars.append(letter.scalar) }
        return String(scalars)
    }

    /// The text cut where its author changes.
    var segments: [TemplateSegment] {
        var segments: [TemplateSegment] = []
        var start = 0
        while start < letters.count {
            let isTemplate = letters[start].isTemplate
            let end = letters[start...].firstIndex { $0.isTemplate != isTemplate } ?? letters.count
            segments.append(TemplateSegment(text: Text(letters[start..<end]).string, isTemplate: isTemplate))
            start = end
        }
        return segments
    }

    static func == (a: Text, b: Text) -> Bool { a.letters == b.letters }
    func hash(into hasher: inout Hasher) { hasher.combine(letters) }

    static func < (a: Text, b: Text) -> Bool {
        a.letters.lexicographicallyPrecedes(b.letters) { $0.code < $1.code }
    }

    func asMarkup(_ isMarkup: Bool = true) -> Text {
        var text = self
        text.isMarkup = isMarkup
        return text
    }

    static func + (a: Text, b: Text) -> Text { Text(a.letters + b.letters) }
    static func += (a: inout Text, b: Text) { a.letters += b.letters }
    static func += (a: inout Text, b: String) { for scalar in b.unicodeScalars { a.letters.append(Letter(scalar)) } }
}

/// A stretch of rendered text from one author.
public struct TemplateSegment: Equatable, Sendable {
    public let text: String
    /// True for what the template itself says, where special tokens may be parsed; false for what came from values.
    public let isTemplate: Bool

    public init(text: String, isTemplate: Bool) {
        self.text = text
        self.isTemplate = isTemplate
    }
}
