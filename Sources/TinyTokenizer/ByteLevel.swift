/// The alphabet in which byte-level vocabularies write bytes as visible characters.
///
/// Printable Latin-1 bytes stand for themselves; the other 68 are written, in order, as U+0100 and up: a space is `Ġ`, a
/// line feed `Ċ`. Radford et al. 2019.
enum ByteLevel {
    /// The byte that a scalar below U+0144 stands for, or −1.
    private static let bytes: [Int16] = {
        var table = [Int16](repeating: -1, count: 0x144)
        var next = 0x100
        for byte in 0..<256 {
            let isPrintable = 0x21...0x7E ~= byte || 0xA1...0xAC ~= byte || 0xAE...0xFF ~= byte
            if isPrintable {
                table[byte] = Int16(byte)
            } else {
                table[next] = Int16(byte)
                next += 1
            }
        }
        return table
    }()

    /// The scalar that stands for each byte.
    static let alphabet: [Unicode.Scalar] = {
        var scalars = [Unicode.Scalar](repeating: " ", count: 256)
        for (value, byte) in bytes.enumerated() where byte >= 0 {
            scalars[Int(byte)] = Unicode.Scalar(UInt32(value)) ?? " "
        }
        return scalars
    }()

    /// Writes the bytes that a piece stands for, of which there are no more than it has, and says how many; nil if it is
    /// not written in this alphabet.
    @inline(__always)
    static func decode(_ piece: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>) -> Int? {
        guard output.count >= piece.count else { return nil }
        var position = 0
        var count = 0
        while position < piece.count {
            let lead = piece[position]
            position += 1
            if 0x21...0x7E ~= lead {
                output[count] = lead
                count += 1
                continue
            }
            // Beyond ASCII the alphabet is written in two bytes each.
            var value = Int(lead)
            if 0xC2...0xDF ~= lead, position < piece.count, piece[position] & 0xC0 == 0x80 {
                value = Int(lead & 0x1F) << 6 | Int(piece[position] & 0x3F)
                position += 1
            }
            guard value >= 0x80, value < bytes.count, bytes[value] >= 0 else { return nil }
            output[count] = UInt8(truncatingIfNeeded: bytes[value])
            count += 1
        }
        return count
    }
}
