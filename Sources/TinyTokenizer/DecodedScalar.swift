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
