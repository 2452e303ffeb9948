extension Tokenizer {
    /// The text of tokens, put together as the model's file says. Bytes that are not UTF-8 become U+FFFD: in byte-level
    /// vocabularies one for each maximal part of a character, as in Python's `errors="replace"` and Rust's
    /// `from_utf8_lossy`; elsewhere one for each byte.
    ///
    /// - Parameter skipSpecial: leaves special tokens out.
    /// - Throws: if a token is not in the vocabulary.
    public func decode(_ tokens: [Int], skipSpecial: Bool = false) throws(TokenizerError) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(tokens.count * 4)
        var decoding = Decoding(decoder)
        let isPlain = if case .bytes = decoder { true } else { false }
        for token in tokens {
            guard let bytes = pieces.bytes(of: token) else { throw unknown(token) }
            if isSkipped(token, skipSpecial) { continue }
            if isPlain {
                output.append(contentsOf: bytes)
            } else {
                output += decoding.append(token, pieces.kind(of: token), bytes)
            }
        }
        output += decoding.finish()
        return String(decoding: output, as: UTF8.self)
    }

    /// The unknown token of SentencePiece is text of some kind, and is shown.
    func isSkipped(_ token: Int, _ skipSpecial: Bool) -> Bool {
        guard skipSpecial, isSpecial(token) else { return false }
        if case .sentencePiece(let decoder) = decoder { return token != decoder.unknown }
        return true
    }

    /// The bytes of a token as the vocabulary has it, which may begin or end inside a character; nil if there is no
    /// such token.
    package func bytes(of token: Int) -> [UInt8]? { pieces.bytes(of: token).map(Array.init) }

    /// A token as a person reads it: its text as the vocabulary has it, with U+FFFD for parts of characters.
    public func piece(_ token: Int) throws(TokenizerError) -> String {
        guard let bytes = pieces.bytes(of: token) else { throw unknown(token) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func unknown(_ token: Int) -> TokenizerError {
        TokenizerError(file: file, key: "token \(token)", found: "no such token", expected: "one of \(count) ids")
    }
}
