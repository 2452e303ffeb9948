extension Tokenizer {
    /// The tokens of a whole text between those that the file wants around it, cut to a limit: what does not fit is left
    /// out of the text, never of what stands around it.
    ///
    /// - Parameters:
    ///   - special: whether the text of a special token becomes that token.
    ///   - cutsBeginning: whether the text's beginning is left out rather than its end.
    /// - Returns: the tokens, and how many of the text's were left out. Where the limit has no room for the text at all, the
    ///   tokens around it are more than the limit.
    package func encodeFramed(
        _ text: String, limit: Int?, special: Bool, cutsBeginning: Bool = false
    ) -> (framed: FramedTokens, cut: Int) {
        let tokens = encode(text, special: special)
        let room = max(0, (limit ?? .max) - opening.count - closing.count)
        let kept = cutsBeginning ? tokens.suffix(room) : tokens.prefix(room)
        var framed = FramedTokens()
        for part in frame.single {
            switch part {
            case .token(let id, let type):
                framed.tokens.append(id)
                framed.types.append(type)
            case .first(let type):
                framed.tokens += kept
                framed.types += Array(repeating: type, count: kept.count)
            case .second: break
            }
        }
        return (framed, tokens.count - kept.count)
    }
}
