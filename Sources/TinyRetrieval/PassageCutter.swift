/// Cuts texts into passages that fit a model.
///
/// A passage ends where a section does, or with a paragraph once it is a quarter full. What is longer is cut behind a
/// sentence, and the next passage then begins with the last sentence again, as what it says may need both sides.
struct PassageCutter {
    /// The most tokens in a passage.
    let tokenLimit: Int
    let tokenCount: (String) -> Int
    /// A text without a space may be one unknown token, however long it is.
    private var byteLimit: Int { tokenLimit * 16 }

    func passages(of text: String) -> [Passage] {
        let text = Cut(text: text)
        var (passages, start, next) = ([Passage](), 0, 0)
        var lines = LineCounter()
        while start < text.bytes.count {
            while next < text.places.count, text.places[next].offset <= start { next += 1 }
            let (end, kind) = end(of: text, from: start, next)
            let range = text.trimmed(start..<end)
            if !range.isEmpty {
                let first = lines.line(at: range.lowerBound, in: text.bytes)
                var last = lines
                passages.append(
                    Passage(
                        lines: first...last.line(at: range.upperBound - 1, in: text.bytes), bytes: range,
                        text: text[range]))
            }
            start = kind == nil || kind == .line || kind == .sentence ? restart(in: text, start, end, next) : end
        }
        return passages
    }

    private func fits(_ text: Cut, _ range: Range<Int>, within limit: Int) -> Bool { tokenCount(text[range]) <= limit }

    /// Where the passage from `start` on ends, and as what; places from `next` on lie behind it.
    private func end(of text: Cut, from start: Int, _ next: Int) -> (Int, TextBreak.Kind?) {
        let reach = text.characterStart(atOrBefore: start + byteLimit)
        var behind = next
        while behind < text.places.count, text.places[behind].offset <= reach { behind += 1 }
        let near = text.places[next..<behind]
        let count = Self.partition(near.count) { fits(text, start..<near[next + $0].offset, within: tokenLimit) }
        let fitting = near.prefix(count)
        guard let furthest = fitting.last else {
            let limit = near.first?.offset ?? text.places[next].offset
            return (inside(text, start..<min(limit, reach)), nil)
        }
        let early = fitting.first {
            $0.kind == .section
                || $0.kind == .paragraph && !fits(text, start..<$0.offset, within: (tokenLimit - 1) / 4)
        }
        if let early { return (early.offset, early.kind) }
        let half = start + (furthest.offset - start) / 2
        let sentence = fitting.last { $0.kind != .line && $0.offset >= half } ?? furthest
        return (sentence.offset, sentence.kind)
    }

    /// Where to cut a sentence that is too long: behind a word, or else behind a character.
    private func inside(_ text: Cut, _ range: Range<Int>) -> Int {
        for places in [text.wordEnds(in: range), text.characterEnds(in: range)] {
            let count = Self.partition(places.count) { fits(text, range.lowerBound..<places[$0], within: tokenLimit) }
            if count > 0 { return places[count - 1] }
        }
        return text.characterEnds(in: range).first ?? range.upperBound
    }

    /// Where the next passage begins: at the last sentences of this one, as far as they are a fifth of a passage.
    private func restart(in text: Cut, _ start: Int, _ end: Int, _ next: Int) -> Int {
        var best = end
        var index = next
        while index < text.places.count, text.places[index].offset < end { index += 1 }
        for place in text.places[next..<index].reversed() where place.kind == .sentence {
            guard fits(text, place.offset..<end, within: tokenLimit / 5) else { break }
            best = place.offset
        }
        return best
    }

    /// How many of the first `count` hold, if those that hold come first.
    private static func partition(_ count: Int, _ holds: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if holds(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// A text with its bytes and the places where it may be cut.
private struct Cut {
    let bytes: [UInt8]
    let places: [TextBreak.Place]

    init(text: String) {
        bytes = Array(text.utf8)
        places = TextBreak.places(in: text)
    }

    subscript(range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Without spaces and line ends at either side.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        let scalars = Array(self[range].unicodeScalars)
        guard let first = scalars.firstIndex(where: { !TextBreak.isBlank($0) && $0 != "\u{FEFF}" }),
            let last = scalars.lastIndex(where: { !TextBreak.isBlank($0) })
        else { return range.lowerBound..<range.lowerBound }
        func width(_ scalars: ArraySlice<Unicode.Scalar>) -> Int { scalars.reduce(0) { $0 + UTF8.width($1) } }
        return range.lowerBound + width(scalars[..<first])..<range.upperBound - width(scalars[(last + 1)...])
    }

    func characterStart(atOrBefore offset: Int) -> Int {
        if offset >= bytes.count { return bytes.count }
        var start = offset
        while start > 0, bytes[start] & 0xC0 == 0x80 { start -= 1 }
        return start
    }

    func characterEnds(in range: Range<Int>) -> [Int] {
        range.dropFirst().filter { bytes[$0] & 0xC0 != 0x80 } + [range.upperBound]
    }

    /// Behind spaces, and behind each character of a script that has none.
    func wordEnds(in range: Range<Int>) -> [Int] {
        var (ends, offset) = ([Int](), range.lowerBound)
        for scalar in self[range].unicodeScalars {
            offset += UTF8.width(scalar)
            if offset <= range.upperBound, TextBreak.isBlank(scalar) || 0x2E80..<0xAC00 ~= scalar.value {
                ends.append(offset)
            }
        }
        return ends
    }
}

/// Lines of places that are asked for in order.
private struct LineCounter {
    private var offset = 0
    private var line = 1

    mutating func line(at place: Int, in bytes: [UInt8]) -> Int {
        // Passages overlap, but each begins behind the one before.
        if place > offset {
            line += bytes[offset..<place].reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
            offset = place
        }
        return line
    }
}
