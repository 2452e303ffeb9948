/// The largest of many logits, by partial selection: a heap of those kept, the least of them on top, sorted at the end.
/// Of equal ones the first is the larger; what is no number is none.
struct LargestLogits {
    private(set) var entries: [(token: Int, logit: Float)] = []

    /// In descending order.
    ///
    ///     O(V · log n) at worst, and close to O(V) where n is small
    init(_ count: Int, of logits: Span<Float>) {
        if count <= 0 { return }
        entries.reserveCapacity(min(count, logits.count))
        for i in logits.indices {
            let logit = logits[i]
            if logit.isNaN { continue }
            if entries.count < count {
                entries.append((i, logit))
                rise(entries.count - 1)
            } else if logit > entries[0].logit {
                entries[0] = (i, logit)
                sink()
            }
        }
        entries.sort { Self.precedes($0, $1) }
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

    private mutating func sink() {
        var parent = 0
        while true {
            var child = 2 * parent + 1
            if child >= entries.count { return }
            if child + 1 < entries.count && Self.precedes(entries[child], entries[child + 1]) { child += 1 }
            if !Self.precedes(entries[parent], entries[child]) { return }
            entries.swapAt(parent, child)
            parent = child
        }
    }
}
