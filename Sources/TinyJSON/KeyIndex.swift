/// Where the keys of an object stand in their list: vocabularies are objects of hundreds of thousands of keys.
///
/// Few keys are looked through; more are hashed into an open-addressed table of positions.
struct KeyIndex: Sendable {
    private struct Slot {
        /// One more than the key's position; 0 in an empty slot.
        var next: UInt32
        var hash: UInt32
    }

    private var slots: [Slot] = []
    private static let scanLimit = 8

    func position(of key: String, in keys: [String]) -> Int? {
        if slots.isEmpty { return keys.firstIndex { Self.equal($0, key) } }
        let next = slots[slot(of: key, hash: Self.hash(key), in: keys)].next
        return next > 0 ? Int(next) - 1 : nil
    }

    /// Makes room for a key behind the last of `keys`; false if it is among them.
    mutating func insert(_ key: String, in keys: [String]) -> Bool {
        if slots.isEmpty, keys.count < Self.scanLimit { return !keys.contains { Self.equal($0, key) } }
        if slots.count < 2 * (keys.count + 1) {
            // Powers of two, so that a mask is the remainder.
            var count = 4 * Self.scanLimit
            while count < 4 * keys.count { count *= 2 }
            slots = Array(repeating: Slot(next: 0, hash: 0), count: count)
            for (position, key) in keys.enumerated() {
                let hash = Self.hash(key)
                slots[slot(of: key, hash: hash, in: keys)] = Slot(next: UInt32(position + 1), hash: hash)
            }
        }
        let hash = Self.hash(key)
        let slot = slot(of: key, hash: hash, in: keys)
        if slots[slot].next > 0 { return false }
        slots[slot] = Slot(next: UInt32(keys.count + 1), hash: hash)
        return true
    }

    private func slot(of key: String, hash: UInt32, in keys: [String]) -> Int {
        let mask = slots.count - 1
        var slot = Int(hash) & mask
        while slots[slot].next > 0 {
            if slots[slot].hash == hash, Self.equal(keys[Int(slots[slot].next) - 1], key) { break }
            slot = (slot + 1) & mask
        }
        return slot
    }

    private static func equal(_ a: String, _ b: String) -> Bool {
        a.utf8.count == b.utf8.count && a.utf8.elementsEqual(b.utf8)
    }

    /// Seeded anew in every process, so that nobody can write a file whose keys all collide.
    private static let seed = UInt64.random(in: .min ... .max)

    private static func hash(_ key: String) -> UInt32 {
        var hash = seed
        var key = key
        key.withUTF8 { bytes in
            for byte in bytes {
                hash = (hash ^ UInt64(byte)) &* 0x9E37_79B9_7F4A_7C15
                hash ^= hash >> 32
            }
        }
        return UInt32(truncatingIfNeeded: hash)
    }
}
