/// Tokens to text as SentencePiece does it: marks become spaces, the one that was put in front goes away, tokens of bytes
/// make up characters, and the unknown shows as ⁇.
struct SentencePieceDecoder: Sendable {
    var unknown: Int?
    /// The first piece loses a mark in front: one was put there, or white space was not kept.
    var dropsFirstSpace: Bool
    /// All pieces do so until there is some text.
    var removesExtraSpaces: Bool

    struct State: Sendable {
        /// Bytes that may become a character.
        var bytes: [UInt8] = []
        var hasText = false
        var hasDroppedSpace = false
    }

    func append(
        _ token: Int, _ kind: PieceTable.Kind, _ text: ArraySlice<UInt8>, _ state: inout State
    ) -> [UInt8] {
        if kind == .byte, let byte = Symbols.byteValue(text) {
            state.bytes.append(byte)
            return noted(characters(&state, isEnd: false), &state)
        }
        var output = noted(characters(&state, isEnd: true), &state)
        if token == unknown {
            output += noted(Array(" \u{2047} ".utf8), &state)
        } else if kind == .special {
            // Not noted: SentencePiece itself shows nothing of these.
            output += text
        } else {
            var text = text
            let mark = SentencePieceNormalizer.spaceMark
            if dropsFirstSpace, !state.hasText, !state.hasDroppedSpace, text.starts(with: mark) {
                text = text.dropFirst(mark.count)
                if !removesExtraSpaces { state.hasDroppedSpace = true }
            }
            output += noted(replacing(mark, with: [0x20], in: Array(text)), &state)
        }
        return output
    }

    func finish(_ state: inout State) -> [UInt8] { noted(characters(&state, isEnd: true), &state) }

    private func noted(_ text: [UInt8], _ state: inout State) -> [UInt8] {
        if !text.isEmpty { state.hasText = true }
        return text
    }

    /// The characters that the bytes make up; U+FFFD for each byte that is part of none.
    private func characters(_ state: inout State, isEnd: Bool) -> [UInt8] {
        var output: [UInt8] = []
        while let lead = state.bytes.first {
            let length = lead < 0x80 ? 1 : lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1
            let part = state.bytes.prefix(length)
            if part.count == length, String(validating: part, as: UTF8.self) != nil {
                output += part
                state.bytes.removeFirst(length)
            } else if isEnd || unfinishedCount(state.bytes) < state.bytes.count {
                output += [0xEF, 0xBF, 0xBD]
                state.bytes.removeFirst()
            } else {
                break
            }
        }
        return output
    }
}
