import TinyTensor

/// Whole texts that are read in one pass, their rows end to end: products take all rows at once, attention looks at each
/// text alone.
package final class PackedTexts: Sendable {
    /// Tokens of each.
    package let counts: [Int]
    /// The places of all, in order.
    let places: [TextPlace]
    /// `[T]`: where a row stands in its text.
    let positions: [Int]

    /// - Parameter counts: tokens of each text, at least one.
    package init(counts: [Int]) {
        self.counts = counts
        var places: [TextPlace] = []
        var positions: [Int] = []
        var packedStart = 0
        for count in counts {
            precondition(count > 0, "a text without tokens")
            places.append(
                TextPlace(
                    firstRow: positions.count, rows: count, held: 0, cacheStart: positions.count,
                    packedStart: packedStart))
            positions += 0..<count
            packedStart += count.roundedUp(to: TextPlace.alignment)
        }
        self.places = places
        self.positions = positions
    }

    /// The rows of one text.
    package func rows(ofText text: Int) -> Range<Int> {
        places[text].firstRow..<places[text].firstRow + places[text].rows
    }
}

/// Where a text, or the next part of one, stands in a pass.
struct TextPlace {
    /// Its first row of the pass, and how many it has there.
    let firstRow: Int
    let rows: Int
    /// Its tokens that are in the cache already.
    let held: Int
    /// Where its first token stands in the cache, and where among keys and values that are packed for kernels.
    let cacheStart: Int
    let packedStart: Int

    /// Kernels pack so many tokens together, and a sum's order depends on where they begin.
    static let alignment = 32
}

extension ForwardContext {
    /// Where a row of this pass stands in its text.
    func position(ofRow row: Int) -> Int { texts?.positions[row] ?? cache.count + row }
}
