/// Texts and a value for each, searched from their first byte on.
///
/// One open-addressed table from a node and a byte to the next node: as long as no text is added, nothing moves.
struct ByteTrie: Sendable {
    private struct Slot {
        /// `node << 8 | byte`
        var key: UInt32
        /// Node 0 is the root, so that 0 marks an empty slot.
        var child: UInt32
    }

    private var slots = [Slot](repeating: Slot(key: 0, child: 0), count: 16)
    private var shift: UInt64 = 60
    /// Of each node: the value of the text that ends there, or −1.
    private var values: [Int32] = [-1]
    /// Most searches end at their first byte.
    private var roots = [UInt32](repeating: 0, count: 256)

    var isEmpty: Bool { values.count == 1 }

    /// Sets the value of a text; false, and nothing changed, if it has one already, is empty, or there is no more room.
    mutating func insert(_ text: borrowing Span<UInt8>, _ range: Range<Int>, value: Int32) -> Bool {
        if range.isEmpty || values.count + range.count >= 1 << 24 { return false }
        var node: UInt32 = 0
        for index in range {
            let byte = text[index]
            let next = child(node, byte)
            if next != 0 {
                node = next
                continue
            }
            let new = UInt32(values.count)
            values.append(-1)
            if values.count * 2 > slots.count { grow() }
            let key = node << 8 | UInt32(byte)
            slots[slot(key)] = Slot(key: key, child: new)
            if node == 0 { roots[Int(byte)] = new }
            node = new
        }
        guard values[Int(node)] < 0 else { return false }
        values[Int(node)] = value
        return true
    }

    mutating func insert(_ text: [UInt8], value: Int32) -> Bool { insert(text.span, 0..<text.count, value: value) }

    private mutating func grow() {
        let old = slots
        slots = [Slot](repeating: Slot(key: 0, child: 0), count: old.count * 2)
        shift -= 1
        for item in old where item.child != 0 { slots[slot(item.key)] = item }
    }

    @inline(__always)
    private func slot(_ key: UInt32) -> Int {
        var index = Int(truncatingIfNeeded: (UInt64(key) &* 0x9E37_79B9_7F4A_7C15) >> shift)
        let mask = slots.count - 1
        while slots[index].child != 0, slots[index].key != key { index = (index + 1) & mask }
        return index
    }

    /// The node behind a node's byte, or 0.
    @inline(__always)
    func child(_ node: UInt32, _ byte: UInt8) -> UInt32 {
        node == 0 ? roots[Int(byte)] : slots[slot(node << 8 | UInt32(byte))].child
    }

    /// The value of the text that ends at a node, or −1.
    @inline(__always)
    func value(_ node: UInt32) -> Int32 { values[Int(node)] }

    /// The longest text that begins at a place.
    @inline(__always)
    func longest(_ bytes: borrowing Span<UInt8>, at start: Int, limit: Int) -> (value: Int, end: Int)? {
        var node: UInt32 = 0
        var position = start
        var found: (value: Int, end: Int)?
        while position < limit {
            node = child(node, bytes[position])
            if node == 0 { break }
            position += 1
            if values[Int(node)] >= 0 { found = (Int(values[Int(node)]), position) }
        }
        return found
    }
}
