/// The largest of many logits, by partial selection: a heap of those kept, the least of them on top, sorted at the end.
/// Of equal ones the first is the larger; what is no number is none.
struct LargestLogits {
    private(set) var entries: [(token: Int, logit: Float)] = []

    /// In descending order.
    ///
    ///     O(V · log n) at worst, and close to O(V) where n is small
    init(_ count: Int, of logits: Span<Float>) { select(count, of: logits) }

    /// None yet, and room for so many.
    init(capacity: Int) { entries.reserveCapacity(capacity) }

    /// Others in the place of those it has. Allocates nothing where there is room.
    mutating func select(_ count: Int, of logits: Span<Float>) {
        entries.removeAll(keepingCapacity: true)
        if count <= 0 { return }
        entries.reserveCapacity(min(count, logits.count))
        for i in logits.indices {
            let logit = logits[i]
            if entries.count == count {
                if logit > entries[0].logit {
                    entries[0] = (i, logit)
                    sink(within: count)
                }
            } else if !logit.isNaN {
                entries.append((i, logit))
                rise(entries.count - 1)
            }
        }
        // The least of the rest goes behind it, again and again.
        for rest in stride(from: entries.count - 1, to: 0, by: -1) {
            entries.swapAt(0, rest)
            sink(within: rest)
        }
    }

    private static func precedes(_ a: (token: Int, logit: Float), _ b: (token: Int, logit: Float)) -> Bool {
        a.logit != b.logit ? a.logit > b.logit : a.token < b.token
    }

    private mutating func rise(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            if !Self.precedes(entries[parent], entries[child]) { return }
            entries.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func sink(within count: Int) {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child >= count { return }
            if child + 1 < count && Self.precedes(entries[child], entries[child + 1]) { child += 1 }
            if !Self.precedes(entries[parent], entries[child]) { return }
            entries.swapAt(parent, child)
            parent = child
        }
    }
}
