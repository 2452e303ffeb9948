extension Tokenizer {
    /// What each of a text's tokens adds to it, as bytes that may begin or end inside a character. Nothing for an id
    /// without a token.
    public func pieces(_ tokens: [Int]) -> [[UInt8]] {
        var decoding = Decoding(decoder)
        let pieces = tokens.map { piece(of: $0, &decoding) }
        return holdsBack && !pieces.isEmpty ? pieces.dropFirst() + [decoding.finish()] : pieces
    }

    /// What a token adds to a text that has begun: with the space that some vocabularies take from a text's first token.
    public func pieceInside(_ token: Int) -> [UInt8] {
        var decoding = Decoding(decoder)
        decoding.skipBeginning()
        let piece = piece(of: token, &decoding)
        return holdsBack ? self.piece(of: token, &decoding) : piece
    }

    /// Whether decoding gives each token's text only when it is known that it is not the last.
    private var holdsBack: Bool {
        guard case .steps(let list) = decoder else { return false }
        return list.contains { if case .wordEnds = $0 { true } else { false } }
    }

    private func piece(of token: Int, _ decoding: inout Decoding) -> [UInt8] {
        guard let text = pieces.bytes(of: token) else { return [] }
        if let byte = byte(of: token, text) {
            decoding.skipBeginning()
            return [byte]
        }
        return decoding.append(token, pieces.kind(of: token), text)
    }

    /// The byte that a token stands for where it would otherwise be held back until its character is whole.
    private func byte(of token: Int, _ text: ArraySlice<UInt8>) -> UInt8? {
        switch decoder {
        case .bytes: nil
        case .steps(let list): list.contains(.byteFallback) ? Symbols.byteValue(text) : nil
        case .sentencePiece: pieces.kind(of: token) == .byte ? Symbols.byteValue(text) : nil
        }
    }

    /// The shortest runs of tokens that whole characters are made of: most are of one token, and a rare character takes a
    /// run of several. Bytes that no character can be made of do not hold a run open.
    ///
    /// - Parameter pieces: what each token adds, as `pieces(_:)` gives it.
    public static func runs(_ pieces: [[UInt8]]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        var start = 0
        var waiting: [UInt8] = []
        for (index, piece) in pieces.enumerated() {
            waiting += piece
            if unfinishedCount(waiting) > 0 && index + 1 < pieces.count { continue }
            runs.append(start..<index + 1)
            start = index + 1
            waiting = []
        }
        return runs
    }

    /// Bytes as a person reads them: characters where they are whole, and `\xE4` for what is a part of one.
    public static func readable(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var result = ""
        var rest = bytes[...]
        while let lead = rest.first {
            // The longest character that begins here: four bytes at most.
            let character = (1...4).lazy.filter { $0 <= rest.count }
                .compactMap { String(validating: rest.prefix($0), as: UTF8.self) }.first
            if let character {
                result += character
                rest = rest.dropFirst(character.utf8.count)
            } else {
                let digits = String(lead, radix: 16, uppercase: true)
                result += "\\x" + (digits.count < 2 ? "0" : "") + digits
                rest = rest.dropFirst()
            }
        }
        return result
    }
}
