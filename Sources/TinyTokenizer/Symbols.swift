/// What a word consists of before byte-pair encoding joins anything, and what becomes of what has no token.
struct Symbols: Sendable {
    enum Unit: Sendable {
        case bytes, characters
    }

    let unit: Unit
    /// The token of each byte, or −1: a vocabulary may lack bytes that its training text did not have. Of characters: of
    /// the bytes that stand in for one without a token, if the file wants that; else empty.
    let byteTokens: [Int32]
    /// Of a word's last byte, where a file marks the ends of words; else empty.
    var lastByteTokens: [Int32] = []
    /// Stands for characters without a token; without it they are left out.
    var unknown: Int?
    /// One unknown token stands for a row of such characters.
    var fusesUnknown = true

    /// Splits a word into `scratch.tokens`, −1 where there is no token, and `scratch.starts`.
    func split(
        _ bytes: borrowing Span<UInt8>, _ word: Range<Int>, _ pieces: PieceTable, _ scratch: inout BytePair.Scratch
    ) {
        scratch.tokens.removeAll(keepingCapacity: true)
        scratch.starts.removeAll(keepingCapacity: true)
        switch unit {
        case .bytes:
            for index in word {
                let isLast = index == word.upperBound - 1 && !lastByteTokens.isEmpty
                let token = isLast ? lastByteTokens[Int(bytes[index])] : byteTokens[Int(bytes[index])]
                // The Python package `tokenizers` leaves them out, and so joins what stood on both sides.
                if token < 0 { continue }
                scratch.tokens.append(token)
                scratch.starts.append(index)
            }
        case .characters:
            let keepsUnknown = unknown != nil || !byteTokens.isEmpty
            var position = word.lowerBound
            while position < word.upperBound {
                let end = position + DecodedScalar(bytes, at: position, limit: word.upperBound).length
                let token = pieces.id(of: bytes, in: position..<end)
                if token != nil || keepsUnknown {
                    scratch.tokens.append(Int32(token ?? -1))
                    scratch.starts.append(position)
                }
                position = end
            }
        }
        scratch.starts.append(word.upperBound)
    }

    /// Appends the tokens that are left when nothing joins any more.
    func emit(
        _ bytes: borrowing Span<UInt8>, _ pieces: PieceTable, _ scratch: inout BytePair.Scratch,
        into output: inout [Int]
    ) {
        var isBehindUnknown = false
        for index in scratch.tokens.indices {
            let token = Int(scratch.tokens[index])
            if token >= 0 {
                append(token, pieces, scratch.splits, into: &output)
                isBehindUnknown = false
                continue
            }
            // Characters were left out in front of the next one's start only if none is kept.
            let range = scratch.starts[index]..<scratch.starts[index + 1]
            if appendBytes(bytes, range, into: &output) {
                isBehindUnknown = false
            } else if let unknown {
                if !(isBehindUnknown && fusesUnknown) { output.append(unknown) }
                isBehindUnknown = true
            }
        }
    }

    /// A piece that is not to be used is taken apart again as it was put together.
    private func append(_ token: Int, _ pieces: PieceTable, _ splits: [Int: Int], into output: inout [Int]) {
        guard !splits.isEmpty, pieces.kind(of: token) == .unused, let length = splits[token],
            let text = pieces.bytes(of: token)
        else {
            output.append(token)
            return
        }
        for part in [text.prefix(length), text.dropFirst(length)] {
            if let id = pieces.id(of: Array(part)) {
                append(id, pieces, splits, into: &output)
            } else if !appendBytes(Array(part).span, 0..<part.count, into: &output), let unknown {
                output.append(unknown)
            }
        }
    }

    private func appendBytes(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, into output: inout [Int]) -> Bool {
        guard unit == .characters, !byteTokens.isEmpty else { return false }
        for index in range where byteTokens[Int(bytes[index])] < 0 { return false }
        for index in range { output.append(Int(byteTokens[Int(bytes[index])])) }
        return true
    }

    /// The tokens `<0x00>` to `<0xFF>`; −1 where there is none, and empty if there is none at all.
    static func fallbackTokens(_ pieces: PieceTable) -> [Int32] {
        var tokens = [Int32](repeating: -1, count: 256)
        for id in 0..<pieces.count where pieces.kind(of: id) == .byte {
            if let text = pieces.bytes(of: id), let byte = byteValue(text) { tokens[Int(byte)] = Int32(id) }
        }
        return tokens.contains { $0 >= 0 } ? tokens : []
    }

    /// The byte that a text such as `<0x0A>` names.
    static func byteValue(_ text: some Collection<UInt8>) -> UInt8? {
        guard text.count == 6, text.starts(with: [0x3C, 0x30, 0x78]), text.dropFirst(5).first == 0x3E else {
            return nil
        }
        var value: UInt8 = 0
        for digit in text.dropFirst(3).prefix(2) {
            switch digit {
            case 0x30...0x39: value = value << 4 | (digit - 0x30)
            case 0x41...0x46: value = value << 4 | (digit - 0x37)
            case 0x61...0x66: value = value << 4 | (digit - 0x57)
            default: return nil
            }
        }
        return value
    }
}
