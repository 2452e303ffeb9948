/// A binary heap of (rank, place), lowest rank first and then the leftmost place: both in one word, rank in front.
struct MinimumHeap {
    private var items: [UInt64] = []

    mutating func removeAll() { items.removeAll(keepingCapacity: true) }

    mutating func push(rank: UInt32, place: Int32) {
        let item = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: place))
        items.append(item)
        var index = items.count - 1
        while index > 0 {
            let parent = (index - 1) / 2
            if items[parent] <= item { break }
            items[index] = items[parent]
            index = parent
        }
        items[index] = item
    }

    mutating func popMinimum() -> (rank: UInt32, place: Int32)? {
        guard let minimum = items.first, let item = items.popLast() else { return nil }
        let count = items.count
        if count > 0 {
            var index = 0
            while true {
                var child = 2 * index + 1
                if child >= count { break }
                if child + 1 < count, items[child + 1] < items[child] { child += 1 }
                if item <= items[child] { break }
                items[index] = items[child]
                index = child
            }
            items[index] = item
        }
        return (UInt32(minimum >> 32), Int32(truncatingIfNeeded: minimum & 0xFFFF_FFFF))
    }
}
