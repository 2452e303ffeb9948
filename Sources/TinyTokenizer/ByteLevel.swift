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

    /// Appends the bytes that a piece stands for; false, with nothing appended, if it is not written in this alphabet.
    static func append(_ piece: some StringProtocol, to output: inout [UInt8]) -> Bool {
        let table = bytes
        let start = output.count
        for scalar in piece.unicodeScalars {
            let value = Int(scalar.value)
            guard value < table.count, table[value] >= 0 else {
                output.removeSubrange(start...)
                return false
            }
            output.append(UInt8(table[value]))
        }
        return true
    }
}
