extension Tokenizer {
    /// The text of tokens: their bytes in a row. What is not UTF-8 becomes U+FFFD, one for each maximal part of a
    /// character, as in Python's `errors="replace"` and Rust's `from_utf8_lossy`.
    ///
    /// - Parameter skipSpecial: leaves special tokens out.
    /// - Throws: if a token is not in the vocabulary.
    public func decode(_ tokens: [Int], skipSpecial: Bool = false) throws(TokenizerError) -> String {
        var output: [UInt8] = []
        output.reserveCapacity(tokens.count * 4)
        for token in tokens {
            guard let bytes = pieces.bytes(of: token) else { throw unknown(token) }
            if skipSpecial && isSpecial(token) { continue }
            output.append(contentsOf: bytes)
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// The bytes of a token, which may begin or end inside a character; nil if there is no such token.
    package func bytes(of token: Int) -> [UInt8]? { pieces.bytes(of: token).map(Array.init) }

    /// A token as a person reads it: its text, with U+FFFD for parts of characters.
    public func piece(_ token: Int) throws(TokenizerError) -> String {
        guard let bytes = pieces.bytes(of: token) else { throw unknown(token) }
        return String(decoding: bytes, as: UTF8.self)
    }

    private func unknown(_ token: Int) -> TokenizerError {
        TokenizerError(file: file, key: "token \(token)", found: "no such token", expected: "one of \(count) ids")
    }
}
