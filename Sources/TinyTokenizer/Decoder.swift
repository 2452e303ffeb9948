/// How tokens become text again.
enum Decoder: Sendable {
    /// The pieces are bytes, and these in a row are the text.
    case bytes
    /// The steps of a `tokenizer.json`.
    case steps([Step])
    case sentencePiece(SentencePieceDecoder)

    enum Step: Sendable, Equatable {
        case replace([UInt8], with: [UInt8])
        /// A row of tokens such as `<0xE4>` is a text, or else as many U+FFFD.
        case byteFallback
        /// All that follows is one text.
        case fuse
        /// Takes some of a text away, at most so many at its beginning and at its end.
        case strip([UInt8], start: Int, stop: Int)
        /// Marks become spaces, and those of the first token nothing, where one was put in front of the text.
        case spaceMarks([UInt8], dropsFirst: Bool)
        case wordPiece(prefix: [UInt8], cleansUp: Bool)
        /// Marks the ends of words: spaces, but for the last.
        case wordEnds([UInt8])
    }
}

/// Tokens on their way to text: each call gives what is certain now.
struct Decoding: Sendable {
    private let decoder: Decoder
    private var steps: [StepState]
    private var pieces: SentencePieceDecoder.State
    private var output: [UInt8] = []

    private struct StepState: Sendable {
        /// How many texts this step has had.
        var count = 0
        var held: [UInt8] = []
        var isHolding = false
    }

    init(_ decoder: Decoder) {
        self.decoder = decoder
        pieces = .init()
        if case .steps(let list) = decoder {
            steps = Array(repeating: StepState(), count: list.count)
        } else {
            steps = []
        }
    }

    /// As if some text had come before: what only the first token loses or keeps, none does.
    mutating func skipBeginning() {
        guard case .steps(let list) = decoder else {
            pieces.hasText = true
            return
        }
        for index in list.indices {
            steps[index].count += 1
            if case .strip(_, let start, _) = list[index], list[..<index].contains(.fuse) {
                steps[index].held = Array(repeating: 0, count: start)
            }
        }
    }

    /// What a token adds.
    mutating func append(_ token: Int, _ kind: PieceTable.Kind, _ text: ArraySlice<UInt8>) -> [UInt8] {
        switch decoder {
        case .bytes: return Array(text)
        case .steps(let list):
            feed(Array(text), 0, list)
            return taken()
        case .sentencePiece(let decoder):
            return decoder.append(token, kind, text, &pieces)
        }
    }

    /// What was held back for tokens that did not come.
    mutating func finish() -> [UInt8] {
        switch decoder {
        case .bytes: return []
        case .steps(let list):
            for index in list.indices { finish(index, list) }
            return taken()
        case .sentencePiece(let decoder): return decoder.finish(&pieces)
        }
    }

    private mutating func taken() -> [UInt8] {
        defer { output.removeAll(keepingCapacity: true) }
        return output
    }

    /// Gives a text to the step at an index, and what it makes of it to the next.
    private mutating func feed(_ text: [UInt8], _ index: Int, _ list: [Decoder.Step]) {
        guard index < list.count else {
            output += text
            return
        }
        let count = steps[index].count
        steps[index].count += 1
        switch list[index] {
        case .replace(let old, let new):
            feed(replacing(old, with: new, in: text), index + 1, list)
        case .byteFallback:
            if let byte = Symbols.byteValue(text) {
                steps[index].held.append(byte)
            } else {
                flushBytes(index, list)
                feed(text, index + 1, list)
            }
        case .fuse: feed(text, index + 1, list)
        case .strip(let part, let start, let stop):
            let isFused = list[..<index].contains(.fuse)
            feed(stripped(text, part, start: start, stop: stop, index, isFused: isFused), index + 1, list)
        case .spaceMarks(let mark, let dropsFirst):
            feed(replacing(mark, with: count == 0 && dropsFirst ? [] : [0x20], in: text), index + 1, list)
        case .wordPiece(let prefix, let cleansUp):
            var text = text
            if count > 0 {
                if text.starts(with: prefix) { text.removeFirst(prefix.count) } else { text.insert(0x20, at: 0) }
            }
            feed(cleansUp ? cleanedUp(text) : text, index + 1, list)
        case .wordEnds(let suffix):
            if steps[index].isHolding {
                feed(replacing(suffix, with: [0x20], in: steps[index].held), index + 1, list)
            }
            (steps[index].held, steps[index].isHolding) = (text, true)
        }
    }

    private mutating func finish(_ index: Int, _ list: [Decoder.Step]) {
        switch list[index] {
        case .byteFallback: flushBytes(index, list)
        case .wordEnds(let suffix) where steps[index].isHolding:
            let last = replacing(suffix, with: [], in: steps[index].held)
            (steps[index].held, steps[index].isHolding) = ([], false)
            feed(last, index + 1, list)
        default: break
        }
    }

    private mutating func flushBytes(_ index: Int, _ list: [Decoder.Step]) {
        let bytes = steps[index].held
        if bytes.isEmpty { return }
        steps[index].held = []
        if String(validating: bytes, as: UTF8.self) != nil {
            feed(bytes, index + 1, list)
        } else {
            for _ in bytes { feed([0xEF, 0xBF, 0xBD], index + 1, list) }
        }
    }

    private mutating func stripped(
        _ text: [UInt8], _ part: [UInt8], start: Int, stop: Int, _ index: Int, isFused: Bool
    ) -> [UInt8] {
        var slice = text[...]
        // Behind `fuse`, `held` remembers what was taken from the beginning of the one text so far.
        var count = isFused ? steps[index].held.count : 0
        while count < start, slice.starts(with: part) {
            slice.removeFirst(part.count)
            count += 1
            if isFused { steps[index].held.append(0) }
        }
        if isFused {
            if !slice.isEmpty { steps[index].held = Array(repeating: 0, count: start) }
            return Array(slice)
        }
        count = 0
        while count < stop, slice.count >= part.count, slice.suffix(part.count).elementsEqual(part) {
            slice.removeLast(part.count)
            count += 1
        }
        return Array(slice)
    }
}

func replacing(_ old: [UInt8], with new: [UInt8], in text: [UInt8]) -> [UInt8] {
    guard let first = old.first, text.contains(first) else { return text }
    var output: [UInt8] = []
    var position = 0
    while position < text.count {
        if text[position] == first, text[position...].starts(with: old) {
            output += new
            position += old.count
        } else {
            output.append(text[position])
            position += 1
        }
    }
    return output
}

/// English contractions and signs without the space in front that cutting them off gave them.
private func cleanedUp(_ text: [UInt8]) -> [UInt8] {
    let pairs = [
        (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
        (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ]
    return pairs.reduce(text) { replacing(Array($1.0.utf8), with: Array($1.1.utf8), in: $0) }
}
