/// Texts one behind the other in one buffer: a vocabulary is some hundred thousand short ones, and a `String` for each
/// costs more than reading them.
///
/// Whoever appends says what the bytes are; text from files is UTF-8 that was checked.
package struct TextList: Sendable, Equatable, ExpressibleByArrayLiteral {
    package private(set) var bytes: [UInt8] = []
    /// Where each text ends.
    private var ends: [Int] = []

    package init() {}

    package init(_ texts: some Sequence<String>) { for text in texts { append(text.utf8) } }

    package init(arrayLiteral texts: String...) { self.init(texts) }

    package var count: Int { ends.count }
    package var isEmpty: Bool { ends.isEmpty }

    package mutating func reserveCapacity(texts: Int, bytes: Int) {
        self.bytes.reserveCapacity(bytes)
        ends.reserveCapacity(texts)
    }

    @inline(__always)
    package mutating func append(_ text: some Collection<UInt8>) {
        bytes.append(contentsOf: text)
        ends.append(bytes.count)
    }

    /// Appends what may be text; false, and nothing changed, if it is not UTF-8.
    package mutating func append(validating text: UnsafeBufferPointer<UInt8>) -> Bool {
        if !text.allSatisfy({ $0 < 0x80 }) {
            do { _ = try UTF8Span(validating: text.span) } catch { return false }
        }
        append(text)
        return true
    }

    /// Where a text stands in `bytes`.
    @inline(__always)
    package func range(_ index: Int) -> Range<Int> { (index == 0 ? 0 : ends[index - 1])..<ends[index] }

    package subscript(index: Int) -> String { String(decoding: bytes[range(index)], as: UTF8.self) }

    package mutating func removeLast() {
        ends.removeLast()
        bytes.removeSubrange((ends.last ?? 0)...)
    }

    package var texts: [String] { (0..<count).map { self[$0] } }
}

/// Which texts of a list there are, by their bytes: an open-addressed table of their places.
package struct TextIndex: Sendable {
    private struct Slot {
        /// One more than the text's place; 0 in an empty slot.
        var next: UInt32
        var hash: UInt32
    }

    private var slots: [Slot] = []
    private var count = 0

    package init() {}

    package mutating func reserveCapacity(_ capacity: Int) {
        // Powers of two, so that a mask is the remainder.
        var size = 32
        while size < 2 * capacity { size *= 2 }
        if size > slots.count { grow(to: size) }
    }

    /// Enters the last text of a list; the place of the one that is the same, if there is one.
    package mutating func insertLast(of list: TextList) -> Int? {
        if slots.count < 2 * (count + 1) { grow(to: max(32, slots.count * 4)) }
        let place = list.count - 1
        let range = list.range(place)
        let hash = Self.hash(list.bytes, range)
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot].next > 0 {
            if slots[slot].hash == hash {
                let other = Int(slots[slot].next) - 1
                if Self.equal(list.bytes, list.range(other), range) { return other }
            }
            slot = (slot + 1) & mask
        }
        slots[slot] = Slot(next: UInt32(truncatingIfNeeded: place + 1), hash: hash)
        count += 1
        return nil
    }

    /// Where a text stands in the list that was entered.
    package func place(of text: String, in list: TextList) -> Int? {
        if slots.isEmpty { return nil }
        let bytes = Array(text.utf8)
        let hash = Self.hash(bytes, 0..<bytes.count)
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot].next > 0 {
            if slots[slot].hash == hash {
                let place = Int(slots[slot].next) - 1
                if list.bytes[list.range(place)].elementsEqual(bytes) { return place }
            }
            slot = (slot + 1) & mask
        }
        return nil
    }

    private mutating func grow(to size: Int) {
        let old = slots
        slots = Array(repeating: Slot(next: 0, hash: 0), count: size)
        for item in old where item.next > 0 {
            var slot = Int(item.hash) & (size - 1)
            while slots[slot].next > 0 { slot = (slot + 1) & (size - 1) }
            slots[slot] = item
        }
    }

    @inline(__always)
    private static func equal(_ bytes: [UInt8], _ a: Range<Int>, _ b: Range<Int>) -> Bool {
        guard a.count == b.count else { return false }
        for offset in 0..<a.count where bytes[a.lowerBound + offset] != bytes[b.lowerBound + offset] { return false }
        return true
    }

    /// Seeded anew in every process, so that nobody can write a file whose texts all collide.
    private static let seed = UInt64.random(in: .min ... .max)

    @inline(__always)
    private static func hash(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
        var hash = seed
        for index in range {
            hash = (hash ^ UInt64(bytes[index])) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
        }
        return UInt32(truncatingIfNeeded: hash)
    }
}
