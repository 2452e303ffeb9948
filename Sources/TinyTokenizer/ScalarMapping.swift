/// Characters that become other characters, from a generated table: lower cases, compatibility decompositions.
struct ScalarMapping: Sendable {
    static let lowerCases = ScalarMapping(UnicodeTables.lowerCases)
    static let compatibility = ScalarMapping(UnicodeTables.compatibility)

    private var mapped: [UInt32: [UInt32]] = [:]

    /// Of each character: its distance from the one before, how many characters it becomes, and each of these as a
    /// difference to the one before, where an odd number stands for a negative one.
    private init(_ text: StaticString) {
        var numbers = NumberText(text)
        var scalar = 0
        while !numbers.isAtEnd {
            scalar += numbers.next()
            var last = scalar
            mapped[UInt32(scalar)] = (0..<numbers.next()).map { _ in
                let folded = numbers.next()
                last += folded & 1 == 1 ? -((folded + 1) >> 1) : folded >> 1
                return UInt32(last)
            }
        }
    }

    subscript(scalar: UInt32) -> [UInt32]? { mapped[scalar] }
}

extension [UInt8] {
    /// Appends a scalar in UTF-8; what is none becomes U+FFFD.
    mutating func append(scalar value: UInt32) {
        if value < 0x80 {
            append(UInt8(value))
        } else {
            append(contentsOf: UTF8.encode(Unicode.Scalar(value) ?? "\u{FFFD}") ?? UTF8.encodedReplacementCharacter)
        }
    }

    mutating func append(_ span: borrowing Span<UInt8>, _ range: Range<Int>) {
        for index in range { append(span[index]) }
    }
}
