/// Which two tokens join into which, and how early: the learned part of byte-pair encoding.
///
/// Open addressing in one flat array: two look-ups for each merge done make this the hottest memory of the tokenizer.
struct MergeTable: Sendable {
    struct Merge {
        /// The place in the file's list; lower ones are done first.
        let rank: UInt32
        let result: Int32
    }

    private struct Slot {
        var left: Int32 = -1
        var right: Int32 = -1
        var rank: UInt32 = 0
        var result: Int32 = 0
    }

    private var slots: [Slot]
    private let shift: UInt64

    init(count: Int) {
        var bits: UInt64 = 4
        while 1 << bits < count + count / 2 { bits += 1 }
        slots = Array(repeating: Slot(), count: 1 << Int(bits))
        shift = 64 - bits
    }

    /// False, and nothing changed, if the pair is there already.
    mutating func insert(left: Int, right: Int, rank: Int, result: Int) -> Bool {
        let index = index(Int32(left), Int32(right))
        guard slots[index].left < 0 else { return false }
        slots[index] = Slot(left: Int32(left), right: Int32(right), rank: UInt32(rank), result: Int32(result))
        return true
    }

    @inline(__always)
    subscript(left: Int32, right: Int32) -> Merge? {
        let slot = slots[index(left, right)]
        return slot.left < 0 ? nil : Merge(rank: slot.rank, result: slot.result)
    }

    @inline(__always)
    private func index(_ left: Int32, _ right: Int32) -> Int {
        let key = UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
        // The high bits of a product depend on every bit of the key.
        var index = Int(truncatingIfNeeded: ((key ^ (key >> 29)) &* 0x9E37_79B9_7F4A_7C15) >> shift)
        let mask = slots.count - 1
        while slots[index].left >= 0, slots[index].left != left || slots[index].right != right {
            index = (index + 1) & mask
        }
        return index
    }
}
